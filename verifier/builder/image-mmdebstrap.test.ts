import { expect, test } from 'vitest'
import { requireMmdebstrap } from './image-mmdebstrap.ts'

test('a host without mmdebstrap is told which package it lacks, and what else it can do', async () => {
  await expect(requireMmdebstrap('/nonexistent')).rejects.toMatchObject({
    code: 'mmdebstrap-missing',
    hint: expect.stringMatching(/Debian package mmdebstrap.*builder import/),
  })
})
