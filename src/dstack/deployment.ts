import type { Sha256 } from '../../verifier/model/digest.ts'
import { appComposeOf, encodeAppCompose } from './app-compose.ts'
import { type DeployedImage, deployCompose } from './deploy-compose.ts'

/** What a deployer needs beside a pushed image: the compose file, and the app-compose with it inside. */
export function deploymentOf(image: DeployedImage): {
  readonly compose: string
  readonly appCompose: string
  readonly composeHash: Sha256
} {
  const compose = deployCompose(image)
  const { text, composeHash } = encodeAppCompose(appComposeOf({ name: image.service, dockerComposeFile: compose }))
  return { compose, appCompose: text, composeHash }
}
