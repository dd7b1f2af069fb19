import type { Context } from './context.ts'
import { exitCodes } from './failure.ts'

/** Whether a catalogue may take the place of the present one. */
export async function checkCatalogue(
  { host, output, configFile }: Context,
  file: string,
): Promise<number> {
  await using job = await host.openJob(configFile, 'catalogue')
  const { cutsOff, revokes } = await job.checkCatalogue(file)
  const lines = [
    ...revokes.map((version) => `${version} WILL BE REVOKED by the next sync`),
    ...cutsOff.map((version) => `${version} signs, and could no longer: rotate it first`),
  ]
  const good = `${file} may take the place of the present catalogue`
  output.result(cutsOff.length > 0 ? lines : [...lines, good], { cutsOff, revokes })
  return cutsOff.length > 0 ? exitCodes.refused : exitCodes.done
}
