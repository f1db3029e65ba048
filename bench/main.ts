// npm run bench: throughput, share of the device's FMA peak, and query latency. USAGE is in args.ts.
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { create } from 'webgpu';
import { folderFiles } from '../src/sources/folder';
import { parseOptions, runCommand, USAGE } from './args';
import { nodeEnvironment, webgpuFolder } from './environment';
import { benchModels } from './models';
import { barTable, columns, kernelTable, queryTable, setTable, windowTable } from './print';
import type { Report } from './report';
import { roofline } from './roofline';
import { runSuite, type SuiteResults } from './suite';
import { UsageError } from './usage-error';

/** Dawn silently ignores unknown toggles, so their names are looked up in its binary. */
function checkToggles(toggles: string[]): void {
  if (toggles.length === 0) return;
  const binary = readFileSync(join(webgpuFolder(), 'dist', `${process.platform}-${process.arch}`, 'dawn.node'));
  for (const name of toggles) {
    if (!binary.includes(`\0${name}\0`)) throw new UsageError(`--dawn: Dawn has no toggle named '${name}'.`);
  }
}

async function main(): Promise<void> {
  const { help, models, folders, toggles, json, ...options } = parseOptions(process.argv.slice(2));
  if (help) return console.log(USAGE);
  checkToggles(toggles);
  const reportOf = (results: SuiteResults): Report => ({ ...nodeEnvironment(), toggles, ...results });
  const save = (results: SuiteResults) => {
    if (!json) return;
    // The file is always whole, also if this process is stopped.
    writeFileSync(`${json}.part`, `${JSON.stringify(reportOf(results), null, 1)}\n`);
    renameSync(`${json}.part`, json);
  };
  const measured = await runSuite({
    ...options,
    gpu: create(toggles.map((name) => `enable-dawn-features=${name}`)),
    folder: folderFiles,
    models: benchModels(models, folders),
    log: console.error,
    onResult: save,
  });
  const report = reportOf(measured);
  print(report);
  save(measured);
  if (json) {
    const plot = roofline(report);
    if (plot) writeFileSync(`${json.replace(/\.json$/, '')}-roofline.svg`, plot);
  }
}

function print({ peaks, sets, queries, windows, bars }: Report): void {
  console.log(
    `FMA peak ${peaks.fma_gflops.toFixed(1)} GFLOP/s, copy ${peaks.copy_gb_s.toFixed(1)} GB/s (best of this run)`,
  );
  if (sets.length > 0) console.log(`\n${columns(setTable(sets))}`);
  if (queries.length > 0) console.log(`\n${columns(queryTable(queries))}`);
  for (const { model, tier, name, kernels } of sets) {
    if (kernels) console.log(`\n${model} ${tier} ${name}\n${columns(kernelTable(kernels), 1)}`);
  }
  if (windows.length > 0) console.log(`\n${columns(windowTable(windows))}`);
  console.log(`\n${columns(barTable(bars))}`);
}

runCommand(main, USAGE);
