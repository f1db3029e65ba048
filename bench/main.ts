// npm run bench: throughput, share of the device's FMA peak, and query latency. USAGE is in args.ts.
import { renameSync, writeFileSync } from 'node:fs';
import { folderFiles } from '../src/sources/folder';
import { chosenArchitectures } from './architectures';
import { parseOptions, runCommand, USAGE } from './args';
import { compareArchitectures } from './compare';
import { comparePlot } from './compare-plot';
import { type Comparison, compareTable } from './compare-report';
import { createDawn } from './dawn';
import { nodeEnvironment } from './environment';
import { benchModels } from './models';
import { barTable, columns, kernelTable, queryTable, setTable, windowTable } from './print';
import type { Report } from './report';
import { roofline } from './roofline';
import { runSuite, type SuiteResults } from './suite';

async function main(): Promise<void> {
  const { help, models, folders, toggles, json, compare, only, ...options } = parseOptions(process.argv.slice(2));
  if (help) return console.log(USAGE);
  const reportOf = <R>(results: R) => ({ ...nodeEnvironment(), toggles, ...results });
  const onResult = (results: SuiteResults | Comparison) => {
    if (!json) return;
    // The file is always whole, also if this process is stopped.
    writeFileSync(`${json}.part`, `${JSON.stringify(reportOf(results), null, 1)}\n`);
    renameSync(`${json}.part`, json);
  };
  const savePlot = (suffix: string, plot: string | undefined) => {
    if (json && plot) writeFileSync(`${json.replace(/\.json$/, '')}${suffix}.svg`, plot);
  };
  const gpu = createDawn(toggles);
  const common = { ...options, gpu, log: console.error, onResult };
  if (compare) {
    const compared = await compareArchitectures({
      ...common,
      architectures: chosenArchitectures(only),
      tier: options.tiers?.[0],
    });
    printComparison(compared);
    onResult(compared);
    return savePlot('', comparePlot(reportOf(compared)));
  }
  const measured = await runSuite({ ...common, folder: folderFiles, models: benchModels(models, folders) });
  const report = reportOf(measured);
  print(report);
  onResult(measured);
  savePlot('-roofline', roofline(report));
}

function printComparison(comparison: Comparison): void {
  const { peaks, layers } = comparison;
  console.log(`FMA peak ${peaks.fma_gflops.toFixed(1)} GFLOP/s (best of this run)`);
  if (layers) console.log(`${layers} layers of each model were run; tokens/s and memory are worked out for all layers`);
  console.log(`\n${columns(compareTable(comparison), 2)}`);
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
