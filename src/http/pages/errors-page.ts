import { html } from 'hono/html'
import { statusOf } from '../problems.ts'
import { type Html, page } from './page.ts'

/** Every code, from the table of docs/errors.md, with the status that the API answers it with. */
export function errorsPage(markdown: string): Html {
  const rows = markdown.split('\n').flatMap((line) => {
    const [, code, says, remedy] =
      /^\| `([a-z0-9-]+)` \| (.*) \|$/.exec(line)?.flatMap((part, index) => (index === 2 ? part.split(' | ') : [part])) ?? []
    return code === undefined ? [] : [{ code, says: plain(says), remedy: plain(remedy) }]
  })
  const body = html`<main>
    <h1>Codes</h1>
    <p>
      Every code that a failure, an outcome or a verdict can carry. Codes do not change their meaning; messages may be worded better. … stands for
      what is filled in. <a href="/docs">The API</a>
    </p>
    <div class="wide">
      <table>
        <thead>
          <tr><th scope="col">code</th><th scope="col">status</th><th scope="col">what it says</th><th scope="col">what to do</th></tr>
        </thead>
        <tbody>
          ${rows.map(
            ({ code, says, remedy }) => html`<tr id="${code}">
              <td><code>${code}</code></td>
              <td>${statusOf(code) ?? ''}</td>
              <td>${says}</td>
              <td>${remedy}</td>
            </tr>`,
          )}
        </tbody>
      </table>
    </div>
  </main>`
  return page({ title: 'Codes', body })
}

function plain(cell: string | undefined): string {
  return (cell ?? '').replaceAll('\\|', '|').trim()
}
