/** What is said of an input whose archive no mirror is known for. */
export const NO_MIRROR = 'no mirror is known for this archive'
