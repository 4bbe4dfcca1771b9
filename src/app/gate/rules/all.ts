import type { GateRule } from '../gate-rule.ts'
import { appImages } from './app-images.ts'
import { appListed } from './app-listed.ts'
import { composeAdmitted } from './compose-admitted.ts'
import { composeClean } from './compose-clean.ts'
import { composeKnown } from './compose-known.ts'
import { deviceAdmitted } from './device-admitted.ts'
import { imageAttested } from './image-attested.ts'
import { imageListed } from './image-listed.ts'
import { imagePinned } from './image-pinned.ts'
import { osImage } from './os-image.ts'
import { tcb } from './tcb.ts'

/** In the order in which answers are given. */
export const GATE_RULES: readonly GateRule[] = [
  appListed,
  composeAdmitted,
  composeKnown,
  composeClean,
  imagePinned,
  imageListed,
  appImages,
  ...imageAttested,
  osImage,
  tcb,
  deviceAdmitted,
]
