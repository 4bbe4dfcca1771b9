import { parseImageReference, parsePinnedReference } from '../../verifier/model/image-reference.ts'

/** An argument that names an image to push to. */
export const imageArgument = {
  parse: parseImageReference,
  brief: 'HOST/PATH[:TAG], such as docker.io/USER/NAME',
  placeholder: 'IMAGE',
} as const

/** An argument that names an image which cannot move. */
export const pinnedArgument = {
  parse: parsePinnedReference,
  brief: 'HOST/PATH@sha256:…, as push prints it',
  placeholder: 'IMAGE@sha256:…',
} as const
