/**
 * How often a property is tried: `usual` times, or as many times more often as `AUDITAIL_FUZZ_RUNS` says. fast-check
 * prints seed and path of a failure; `AUDITAIL_FUZZ_SEED` repeats a seed.
 */
export function fuzz(usual: number): { numRuns: number; seed: number } {
  const factor = Number(process.env.AUDITAIL_FUZZ_RUNS ?? 1);
  const seed = Number(process.env.AUDITAIL_FUZZ_SEED ?? Math.floor(Math.random() * 2 ** 31));
  return { numRuns: usual * Math.max(1, factor), seed };
}
