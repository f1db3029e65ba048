// The project's own benchmark on the page: sets of documents, kernels, roofline, bars.
import type { Job, Measured } from '../../bench/page/messages';
import { mib, milliseconds, rate } from '../../bench/print';
import type { Report } from '../../bench/report';
import { find } from '../dom';
import { largest } from '../extremes';
import { createRunButton } from '../run-button';
import { environment } from './environment';
import { resultElements } from './results';
import { createLines } from './run-lines';
import { createShare } from './share';
import { runJob } from './worker-job';

const numberOf = ({ value }: HTMLInputElement): number | undefined => (value === '' ? undefined : Number(value));

/** Wires the benchmark. `isSoftware`: what takes minutes on a CPU is not chosen. */
export function startSuite(section: HTMLElement, isSoftware: boolean): void {
  const form = find<HTMLFormElement>(section, 'form');
  const results = find(section, '#results');
  const lines = createLines(results);
  const box = (id: string) => find<HTMLInputElement>(section, id);
  const places = { error: find(form, '.error'), status: find(form, '.status') };
  const share = createShare(find(form, '.share'), places.error);
  box('#bars').checked = !isSoftware;

  createRunButton(form, find(section, '#run'), places, async (signal, progress) => {
    const models = (['nano', 'base'] as const).filter((name) => box(`#${name}`).checked);
    if (models.length === 0) throw new Error('Choose a model to measure.');
    const job: Job = {
      nano: new URL('models/nano', document.baseURI).href,
      models,
      tokens: numberOf(box('#tokens')),
      repeats: numberOf(box('#repeats')),
      bars: box('#bars').checked,
    };
    progress.show({ what: 'Loading' });
    const worker = new Worker(new URL('../../bench/page/worker.ts', import.meta.url), {
      type: 'module',
      name: 'benchmark',
    });
    lines.clear();
    const measured = await runJob<Measured>(worker, job, signal, { step: progress.show, log: lines.add });
    const report: Report = { ...environment(), ...measured };
    const { speedChart } = await import('./charts');
    const chart = speedChart(report.sets, Math.max(300, Math.min(760, form.clientWidth)));
    lines.clear(); // the tables have them
    results.replaceChildren(...resultElements(report, chart));
    share({
      name: `benchmark-${report.date}`,
      report,
      title: 'modernbert-webgpu: tokens a second against the length of the documents',
      facts: factsOf(report),
      charts: chart ? [chart] : [],
    });
    places.status.textContent = 'Done.';
  });
}

/** What a picture says of a report. */
function factsOf({ adapter, driver, runtime, date, peaks, sets, queries }: Report): string[] {
  const best = sets.reduce((a, b) => (b.tokens_per_s > a.tokens_per_s ? b : a));
  const memory = largest(sets.map(({ peak_bytes }) => peak_bytes));
  return [
    [adapter, driver].filter(Boolean).join(', '),
    `${runtime} · ${date.slice(0, 10)} · at best ${rate(peaks.fma_gflops)} GFLOP/s on FMAs, ${rate(peaks.copy_gb_s)} GB/s on copies`,
    `Most: ${rate(best.tokens_per_s)} tokens/s (${best.model}, ${best.tier}, ${best.name}) · ${mib(memory)} of GPU memory`,
    ...queries
      .filter(({ name }) => name === 'query-16')
      .map(({ model, tier, median_ms }) => `A query of 16 tokens: ${milliseconds(median_ms)} ms (${model}, ${tier})`),
  ];
}
