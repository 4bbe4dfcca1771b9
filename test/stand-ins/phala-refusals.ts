/** The shapes that an error of Phala Cloud has: a text, a list of what does not validate, or, with a code, an object. */
export const validation = (field: string, msg: string) => ({ detail: [{ type: 'value_error', loc: ['body', field], msg, input: null }] })

export const structured = (
  error_code: string,
  message: string,
  details: readonly { readonly field: string; readonly value: unknown }[] = [],
) => ({
  detail: {
    error_code,
    message,
    details: details.map((detail) => ({ ...detail, message: `${detail.field} of a stand-in` })),
    suggestions: ['a suggestion of a stand-in'],
    links: [{ label: 'a link', url: 'https://stand-in.phala.test/help' }],
  },
})

export const NOT_FOUND = structured('ERR-03-001', 'CVM not found')
export const duplicate = (name: string) => structured('ERR-01-004', 'a CVM has this name', [{ field: 'name', value: name }])
