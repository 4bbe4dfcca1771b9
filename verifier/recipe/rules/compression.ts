import { against, assigned, type Rule } from '../rule.ts'
import { mayBeOn } from '../values.ts'

const PLAIN = ['none', 'no', 'false', '0', 'off']

export const compression: Rule = {
  id: 'compression',
  severity: 'warn',
  text: 'Compressed bytes change with the version of the compressor, so the claim is on the uncompressed ones and the builder leaves the output uncompressed. An OCI layout is the exception: mkosi writes it only compressed.',
  remedy: 'Write CompressOutput=none; with Format=oci leave it out, or build a tar and let bitwitness pack it.',
  *check(config, facts) {
    for (const assignment of assigned(config, 'CompressOutput')) {
      const format = facts.images.find((image) => image.name === assignment.image)?.format
      const off = PLAIN.includes(assignment.value.toLowerCase())
      if (format === 'oci' && off) yield against(assignment, 'mkosi refuses to write an OCI layout uncompressed')
      else if (format !== 'oci' && !off && mayBeOn(assignment.value))
        yield against(assignment, 'the output is compared uncompressed', 'info')
    }
    for (const format of assigned(config, 'Format'))
      if (format.value === 'oci') yield against(format, 'the digest of a compressed layer holds for one version of the compressor', 'warn')
  },
}
