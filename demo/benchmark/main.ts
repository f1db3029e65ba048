// The benchmark tab: what was measured on this device's GPU, to look at and to save.
import type { Answer, Job, Measured } from '../../bench/page/messages';
import type { Environment, Report } from '../../bench/report';
import { find, showError } from '../dom';
import { saveFile } from '../save-file';
import './benchmark.css';
import html from './panel.html?raw';
import { resultElements } from './results';

const numberOf = ({ value }: HTMLInputElement): number | undefined => (value === '' ? undefined : Number(value));

const environment = (): Pick<Environment, 'date' | 'commit' | 'runtime' | 'toggles'> => ({
  date: new Date().toISOString(),
  commit: import.meta.env.COMMIT,
  runtime: /(Edg|Firefox|Chrome|Version)\/[\d.]+/.exec(navigator.userAgent)?.[0] ?? navigator.userAgent,
  toggles: [],
});

export function start(panel: HTMLElement): void {
  panel.innerHTML = html;
  const form = find<HTMLFormElement>(panel, 'form');
  const button = find<HTMLButtonElement>(panel, '#run');
  const save = find<HTMLButtonElement>(panel, '#save');
  const status = find(panel, '.status');
  const results = find(panel, '#results');
  const error = find(panel, '.error');
  const base = find<HTMLInputElement>(panel, '#base');
  const nano = find<HTMLInputElement>(panel, '#nano');
  const allBars = find<HTMLInputElement>(panel, '#bars');
  const tokens = find<HTMLInputElement>(panel, '#tokens');
  const repeats = find<HTMLInputElement>(panel, '#repeats');
  let worker: Worker | undefined;
  let report: Report | undefined;

  function stop(text: string): void {
    worker?.terminate();
    worker = undefined;
    button.textContent = 'Run';
    status.textContent = text;
  }

  function show(measured: Measured): void {
    report = { ...environment(), ...measured };
    results.replaceChildren(...resultElements(report));
    save.disabled = false;
  }

  function run(): void {
    const models = [nano, base].filter((box) => box.checked).map((box) => box.id as 'nano' | 'base');
    showError(error, models.length === 0 ? 'Choose a model to measure.' : undefined);
    if (models.length === 0) return;
    results.replaceChildren();
    save.disabled = true;
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
    button.disabled = !adapter;
    if (!adapter) {
      place.textContent = 'This browser offers no WebGPU adapter, so nothing can be measured here.';
      return;
    }
    const { vendor, architecture, device, description } = adapter.info;
    const features = ['shader-f16', 'subgroups', 'timestamp-query'].filter((name) => adapter.features.has(name));
    const name = [vendor, architecture, device, description].filter(Boolean).join(' ') || 'not named by the browser';
    place.textContent = `Adapter: ${name}. Features: ${features.join(', ') || 'none of those that matter here'}.`;
    allBars.checked = !/swiftshader|llvmpipe/i.test(name);
  }

  form.addEventListener('submit', (event) => {
    event.preventDefault();
    if (worker) stop('Stopped.');
    else run();
  });
  save.addEventListener('click', () => {
    saveFile(
      `benchmark-${report?.date}.json`,
      new Blob([JSON.stringify(report, null, 1)], { type: 'application/json' }),
    );
  });
  void describeAdapter();
}
