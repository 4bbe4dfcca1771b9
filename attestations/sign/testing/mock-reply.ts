/** What a server of the mock answers. `hang`: nothing ever comes; `reset`: the connection breaks off. */
export type Reply =
  | { readonly status: number; readonly body: string | Uint8Array; readonly type?: string; readonly location?: string }
  | 'hang'
  | 'reset'
