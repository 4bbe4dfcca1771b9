import { styleText } from 'node:util'

export type Paint = { readonly good: Brush; readonly bad: Brush; readonly unsure: Brush; readonly faint: Brush; readonly strong: Brush }
type Brush = (text: string) => string

/** Colours for a terminal, or none. */
export function paint(color: boolean): Paint {
  const brush =
    (format: Parameters<typeof styleText>[0]): Brush =>
    (text) =>
      color ? styleText(format, text, { validateStream: false }) : text
  return {
    good: brush(['bold', 'green']),
    bad: brush(['bold', 'red']),
    unsure: brush(['bold', 'yellow']),
    faint: brush('dim'),
    strong: brush('bold'),
  }
}
