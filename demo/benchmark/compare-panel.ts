// Other architectures beside ModernBERT, on the page: the choice of a size, the button, the table and the plot.
import type { Architecture } from '../../bench/architectures';
import { comparePlot } from '../../bench/compare-plot';
import { type Comparison, compareTable } from '../../bench/compare-report';
import type { CompareJob } from '../../bench/page/messages';
import { rate } from '../../bench/print';
import { element, find } from '../dom';
import { plural } from '../numbers';
import { createRunButton } from '../run-button';
import { environment } from './environment';
import { createLines } from './run-lines';
import { createShare } from './share';
import { resultTable } from './tables';
import { runJob } from './worker-job';

const numberOf = ({ value }: HTMLInputElement): number | undefined => (value === '' ? undefined : Number(value));

/** Wires the comparison. */
export function startCompare(section: HTMLElement): void {
  const form = find<HTMLFormElement>(section, 'form');
  const size = find<HTMLSelectElement>(section, '#compare-size');
  const tokens = find<HTMLInputElement>(section, '#compare-tokens');
  const layers = find<HTMLInputElement>(section, '#compare-layers');
  const results = find(section, '.compare-results');
  const lines = createLines(results);
  const places = { error: find(form, '.error'), status: find(form, '.status') };
  const share = createShare(find(form, '.share'), places.error);

  function show(comparison: Comparison): void {
    const plot = comparePlot({ ...environment(), ...comparison });
    const alt = 'Tokens per second of each model, as a multiple of ModernBERT of the same size';
    const picture = plot && element('img', { src: `data:image/svg+xml,${encodeURIComponent(plot)}`, alt });
    const missing = comparison.models
      .filter(({ error }) => error)
      .map(({ name, error }) => `${name} did not load: ${error}`);
    results.replaceChildren(
      ...(picture ? [picture] : []),
      resultTable(compareTable(comparison), 'Beside ModernBERT of the same size'),
      ...missing.map((textContent) => element('p', { textContent })),
    );
  }

  createRunButton(form, find<HTMLButtonElement>(section, '#compare-run'), places, async (signal, progress) => {
    progress.show({ what: 'Making random weights' });
    const job: CompareJob = {
      size: size.value as Architecture['class'],
      tokens: numberOf(tokens),
      layers: numberOf(layers),
    };
    const worker = new Worker(new URL('../../bench/page/compare-worker.ts', import.meta.url), {
      type: 'module',
      name: 'compare',
    });
    lines.clear();
    const comparison = await runJob<Comparison>(worker, job, signal, {
      step: progress.show,
      log: lines.add,
      soFar: show,
    });
    lines.clear(); // the table has them
    show(comparison);
    places.status.textContent = comparison.layers
      ? `Done. ${plural(comparison.layers, 'layer')} of each model ran; speeds and memory are worked out for all of them.`
      : 'Done.';
    const report = { ...environment(), ...comparison };
    share({
      name: `comparison-${report.date}`,
      report,
      title: 'ModernBERT and the encoders before it, tokens per second',
      facts: [
        `${report.adapter} · ${report.runtime} · ${report.date.slice(0, 10)} · at best ${rate(report.peaks.fma_gflops)} GFLOP/s on FMAs`,
        ...compareTable(comparison)
          .slice(1)
          .map(([model, set, speed, times]) => `${model}, ${set}: ${speed} tokens/s, ${times} of ModernBERT`),
      ],
      charts: [],
    });
  });
}
