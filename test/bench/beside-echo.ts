import { type Bench, interleaved } from './bench.ts'
import { loadFigures } from './closed.ts'
import { putLoad } from './load.ts'
import { startPeer } from './peer.ts'
import type { Outcome } from './report.ts'
import type { Service } from './service.ts'
import { hs256, hs256CpuRatioMax } from './subjects.ts'

/** HMAC costs next to nothing, so this is what everything around a signature costs. */
export async function measureBesideEcho(
  { options: { rounds, seconds } }: Bench,
  service: Service,
): Promise<Outcome> {
  const failures: Outcome['failures'][number][] = []
  await using echo = await startPeer('echo-server.ts')
  const target = service.target(hs256.name)
  const measured = await interleaved([hs256], rounds, failures, async () => ({
    ours: await putLoad(target, seconds),
    // The same bytes; only the port in Host is not the server's own.
    echo: await putLoad({ ...target, port: echo.port, pid: echo.pid }, seconds),
  }))
  const all = [...measured.values()].flat()
  if (all.length === 0) return { figures: [], failures }
  const { name, label } = hs256
  return {
    figures: [
      ...loadFigures(
        name,
        label,
        all.map(({ ours }) => ours),
      ),
      ...loadFigures(
        'echo',
        'node:http JSON echo',
        all.map(({ echo: bare }) => bare),
      ),
      {
        name: `${name}.cpu-ratio`,
        what: `${label}: CPU per request ÷ echo's`,
        unit: 'ratio',
        rounds: all.map(({ ours, echo: bare }) => ours.serverCpuUs / bare.serverCpuUs),
        target: { bound: 'max', value: hs256CpuRatioMax },
      },
    ],
    failures,
  }
}
