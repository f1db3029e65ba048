// The benchmark tab: what was measured on this device's GPU, to look at and to save.
import type { Answer, Job, Measured } from '../../bench/page/messages';
import { mib, milliseconds, rate } from '../../bench/print';
import type { Report } from '../../bench/report';
import type { App } from '../app';
import { find, showError } from '../dom';
import { fileSize } from '../numbers';
import './benchmark.css';
import { largest } from '../extremes';
import { speedChart } from './charts';
import { startCompare } from './compare-panel';
import { environment } from './environment';
import html from './panel.html?raw';
import { startRace } from './race-panel';
import { resultElements } from './results';
import { createShare } from './share';

const numberOf = ({ value }: HTMLInputElement): number | undefined => (value === '' ? undefined : Number(value));

export function start(panel: HTMLElement, app: App): void {
  panel.innerHTML = html;
  const form = find<HTMLFormElement>(panel, '#measure');
  const button = find<HTMLButtonElement>(panel, '#run');
  const status = find(form, '.status');
  const results = find(panel, '#results');
  const error = find(form, '.error');
  const base = find<HTMLInputElement>(panel, '#base');
  const nano = find<HTMLInputElement>(panel, '#nano');
  const allBars = find<HTMLInputElement>(panel, '#bars');
  const tokens = find<HTMLInputElement>(panel, '#tokens');
  const repeats = find<HTMLInputElement>(panel, '#repeats');
  let worker: Worker | undefined;
  const share = createShare(find(form, '.share'), error);

  function stop(text: string): void {
    worker?.terminate();
    worker = undefined;
    button.textContent = 'Run';
    status.textContent = text;
  }

  function show(measured: Measured): void {
    const report: Report = { ...environment(), ...measured };
    const chart = speedChart(report.sets, Math.max(300, Math.min(760, form.clientWidth)));
    results.replaceChildren(...resultElements(report, chart));
    share({
      name: `benchmark-${report.date}`,
      report,
      title: 'modernbert-webgpu: tokens a second against the length of the documents',
      facts: factsOf(report),
      charts: chart ? [chart] : [],
    });
  }

  function run(): void {
    const models = [nano, base].filter((box) => box.checked).map((box) => box.id as 'nano' | 'base');
    showError(error, models.length === 0 ? 'Choose a model to measure.' : undefined);
    if (models.length === 0) return;
    results.replaceChildren();
    share(undefined);
    button.textContent = 'Stop';
    status.textContent = 'Loading …';
    worker = new Worker(new URL('../../bench/page/worker.ts', import.meta.url), { type: 'module', name: 'benchmark' });
    worker.addEventListener('message', ({ data }: MessageEvent<Answer>) => {
      if ('log' in data) {
        status.textContent = data.log;
        return;
      }
      stop('done' in data ? 'Done.' : '');
      if ('done' in data) show(data.done);
      else showError(error, data.error);
    });
    worker.addEventListener('error', ({ message }) => {
      stop('');
      showError(error, `The worker failed: ${message || 'its script could not be loaded'}.`);
    });
    const job: Job = {
      nano: new URL('models/nano', document.baseURI).href,
      models,
      tokens: numberOf(tokens),
      repeats: numberOf(repeats),
      bars: allBars.checked,
    };
    worker.postMessage(job);
  }

  async function describeAdapter(): Promise<void> {
    const adapter = await navigator.gpu?.requestAdapter({ powerPreference: 'high-performance' });
    const place = find(panel, '#adapter');
    for (const id of ['#run', '#race-run', '#compare-run']) find<HTMLButtonElement>(panel, id).disabled = !adapter;
    if (!adapter) {
      place.textContent = 'This browser offers no WebGPU adapter, so nothing can be measured here.';
      return;
    }
    const { vendor, architecture, device, description } = adapter.info;
    const features = ['shader-f16', 'subgroups', 'timestamp-query'].filter((name) => adapter.features.has(name));
    const name = [vendor, architecture, device, description].filter(Boolean).join(' ') || 'not named by the browser';
    const { maxBufferSize, maxStorageBufferBindingSize, maxComputeWorkgroupStorageSize } = adapter.limits;
    place.textContent = [
      `Adapter: ${name}.`,
      `Features: ${features.join(', ') || 'none of those that matter here'}.`,
      `A buffer holds at most ${fileSize(maxBufferSize)}, a kernel sees ${fileSize(maxStorageBufferBindingSize)} of it; a workgroup has ${fileSize(maxComputeWorkgroupStorageSize)}.`,
    ].join(' ');
    allBars.checked = !/swiftshader|llvmpipe/i.test(name);
  }

  form.addEventListener('submit', (event) => {
    event.preventDefault();
    if (worker) stop('Stopped.');
    else run();
  });
  void describeAdapter();
  startRace(find(panel, '#race'), app);
  startCompare(find(panel, '#compare'));
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
