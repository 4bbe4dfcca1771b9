/** The style of the pages, in light and dark. */
export const STYLE = `:root {
  color-scheme: light dark;
  --line: light-dark(#d0d4da, #3a4048);
  --soft: light-dark(#f3f5f7, #1e2227);
  --link: light-dark(#0b57a4, #8ab9f1);
}
body {
  margin: 0 auto;
  padding: 1rem;
  max-width: 60rem;
  font: 1rem/1.5 system-ui, sans-serif;
  overflow-wrap: anywhere;
}
a { color: var(--link); }
h2 { margin-top: 2.5rem; border-bottom: 1px solid var(--line); }
h3 { margin-top: 2rem; }
code, pre { font: 0.9em/1.4 ui-monospace, monospace; }
pre { background: var(--soft); padding: 0.75rem; overflow-x: auto; }
nav ul { columns: 18rem; padding-left: 1.2rem; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; }
th, td { border: 1px solid var(--line); padding: 0.3rem 0.5rem; text-align: left; vertical-align: top; }
td p { margin: 0; }
.method { text-transform: uppercase; }
:target { background: var(--soft); }
`
