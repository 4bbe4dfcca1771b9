import { html } from 'hono/html'
import type { HtmlEscapedString } from 'hono/utils/html'

/** What `html` gives: its parts are escaped already, and nothing else is taken as markup. */
export type Html = HtmlEscapedString | Promise<HtmlEscapedString>

/** Nothing runs, and nothing comes from elsewhere: the one style is ours. */
export const PAGE_POLICY = "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

export function page({ title, body }: { readonly title: string; readonly body: Html }): Html {
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width" />
        <title>${title}</title>
        <link rel="stylesheet" href="/docs/style.css" />
      </head>
      <body>
        ${body}
      </body>
    </html>`
}

/** A text in which `…` is code. */
export function prose(text: string | undefined): Html {
  return html`${(text ?? '').split('`').map((part, index) => (index % 2 === 0 ? part : html`<code>${part}</code>`))}`
}
