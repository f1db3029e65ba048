// npm run bench: tokens a second, share of the device's FMA peak and latency, of documents and of queries. USAGE is in args.ts.
import { readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { create } from 'webgpu';
import { openGpu } from '../src/gpu/device';
import { parseOptions, USAGE, UsageError } from './args';
import { CASES } from './cases';
import { type CaseResult, measure } from './measure';
import { benchModels } from './models';
import { caseTable, kernelTable } from './print';
import { TIERS } from './tiers';

/** Dawn ignores toggles that it does not know; their names are in its binary. */
function checkToggles(toggles: string[]): void {
  if (toggles.length === 0) return;
  const folder = join(createRequire(import.meta.url).resolve('webgpu'), '..');
  const binary = readFileSync(join(folder, 'dist', `${process.platform}-${process.arch}`, 'dawn.node'));
  for (const name of toggles) {
    if (!binary.includes(`\0${name}\0`)) throw new UsageError(`--dawn: Dawn has no toggle '${name}'.`);
  }
}

async function main(): Promise<void> {
  const options = parseOptions(process.argv.slice(2));
  if (options.help) {
    console.log(USAGE);
    return;
  }
  checkToggles(options.toggles);
  const models = benchModels(options.models, options.folders);
  const gpu = create(options.toggles.map((name) => `enable-dawn-features=${name}`));
  const { device, info, hasF16, hasTimestamps, isSoftware } = await openGpu(gpu);
  const features = [...device.features].sort();
  device.destroy();
  if (options.profile && !hasTimestamps) throw new UsageError('--profile: this device has no timestamp-query.');
  const tiers = TIERS.filter(
    ({ name, arithmetic }) => options.tiers.includes(name) && (arithmetic === 'f32' || hasF16),
  );
  if (tiers.length === 0) throw new UsageError(`--tiers ${options.tiers}: this device has no shader-f16.`);
  console.log(`${info.device} (${info.description})`);

  const asked = CASES.filter(({ name }) => options.cases.includes(name));
  const { profile } = options;
  const cases: CaseResult[] = [];
  let fma_peak_gflops = 0;
  for (const model of models) {
    const tokens = options.tokens ?? (isSoftware ? (model.isSmall ? 2048 : 512) : 32768);
    const repeats = options.repeats ?? (isSoftware ? 3 : 5);
    // The generated checkpoint has f16 weights, as published ones of its size are used: f32 would be more of the same.
    const own =
      model.isSmall || options.tiers.length < TIERS.length ? tiers : tiers.filter(({ dtype }) => dtype === 'f16');
    for (const tier of own) {
      const { results, fma_peak_gflops: peak } = await measure(model, tier, asked, { gpu, tokens, repeats, profile });
      fma_peak_gflops = Math.max(fma_peak_gflops, peak);
      cases.push(...results);
    }
  }
  for (const result of cases) {
    result.peak_share = result.gflops / fma_peak_gflops;
    for (const kernel of result.kernels ?? []) kernel.peak_share = kernel.gflops / fma_peak_gflops;
  }
  console.log(`FMA peak: ${fma_peak_gflops.toFixed(1)} GFLOP/s, the best of this run\n\n${caseTable(cases)}`);
  for (const { model, tier, name, kernels } of cases) {
    if (kernels) console.log(`\n${model} ${tier} ${name}\n${kernelTable(kernels)}`);
  }
  if (options.json) {
    const { toggles } = options;
    const report = { adapter: info.device, driver: info.description, features, toggles, fma_peak_gflops, cases };
    writeFileSync(options.json, `${JSON.stringify(report, null, 1)}\n`);
  }
}

main().then(
  () => process.exit(0), // Dawn's threads would keep the process alive.
  (error: unknown) => {
    console.error(error instanceof UsageError ? `${error.message}\n\n${USAGE}` : error);
    process.exit(error instanceof UsageError ? 2 : 1);
  },
);
