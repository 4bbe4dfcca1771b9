import { against, assigned, type Rule } from '../rule.ts'

const DISKS = ['disk', 'portable', 'sysext', 'confext', 'esp']

export const randomValue: Rule = {
  id: 'random-value',
  severity: 'warn',
  text: 'A seed or a machine id that mkosi draws at random is another one in every build. A disk takes the UUIDs of its partitions from the seed.',
  remedy: 'Write Seed= with a UUID of your own; leave MachineId= out, which leaves it to the first boot.',
  *check(config, facts) {
    for (const assignment of assigned(config, 'Seed', 'MachineId'))
      if (assignment.value === 'random') yield against(assignment, 'a value is drawn at random')
    for (const image of facts.images) {
      const seeded = assigned(config, 'Seed').some((seed) => seed.image === image.name && seed.value !== '')
      if (seeded || !DISKS.includes(image.format ?? 'disk') || config.main === null) continue
      const format = assigned(config, 'Format').findLast((assignment) => assignment.image === image.name)
      const message = 'a disk has no seed, so that its UUIDs are drawn at random'
      yield format === undefined ? { path: config.main, line: null, message } : against(format, message)
    }
  },
}
