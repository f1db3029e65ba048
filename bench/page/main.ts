// The benchmark page: what was measured on this device's GPU, to look at and to save.
import type { Environment, Report } from '../report';
import type { Answer, Job, Measured } from './messages';
import { resultElements } from './results';

const find = <T extends HTMLElement>(selector: string): T => {
  const found = document.querySelector<T>(selector);
  if (!found) throw new Error(`The page has no element ${selector}.`);
  return found;
};

const form = find<HTMLFormElement>('form');
const button = find<HTMLButtonElement>('#run');
const save = find<HTMLButtonElement>('#save');
const status = find('#status');
const results = find('#results');
const error = find('#error');
const base = find<HTMLInputElement>('#base');
const nano = find<HTMLInputElement>('#nano');
const allBars = find<HTMLInputElement>('#bars');
const tokens = find<HTMLInputElement>('#tokens');
const repeats = find<HTMLInputElement>('#repeats');

let worker: Worker | undefined;
let report: Report | undefined;

const numberOf = ({ value }: HTMLInputElement): number | undefined => (value === '' ? undefined : Number(value));

const environment = (): Pick<Environment, 'date' | 'commit' | 'runtime' | 'toggles'> => ({
  date: new Date().toISOString(),
  commit: import.meta.env.COMMIT,
  runtime: /(Edg|Firefox|Chrome|Version)\/[\d.]+/.exec(navigator.userAgent)?.[0] ?? navigator.userAgent,
  toggles: [],
});

function showError(message: string): void {
  error.textContent = message;
  error.hidden = message === '';
}

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

function start(): void {
  const models = [nano, base].filter((box) => box.checked).map((box) => box.id as 'nano' | 'base');
  showError(models.length === 0 ? 'Choose a model to measure.' : '');
  if (models.length === 0) return;
  results.replaceChildren();
  save.disabled = true;
  button.textContent = 'Stop';
  status.textContent = 'Loading …';
  worker = new Worker(new URL('./worker.ts', import.meta.url), { type: 'module', name: 'benchmark' });
  worker.addEventListener('message', ({ data }: MessageEvent<Answer>) => {
    if ('log' in data) {
      status.textContent = data.log;
      return;
    }
    stop('done' in data ? 'Done.' : '');
    if ('done' in data) show(data.done);
    else showError(data.error);
  });
  worker.addEventListener('error', ({ message }) => {
    stop('');
    showError(`The worker failed: ${message || 'its script could not be loaded'}.`);
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
  const place = find('#adapter');
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

/** Sets the page going. */
export function startBenchmark(): void {
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    if (worker) stop('Stopped.');
    else start();
  });

  save.addEventListener('click', () => {
    const url = URL.createObjectURL(new Blob([JSON.stringify(report, null, 1)], { type: 'application/json' }));
    const link = Object.assign(document.createElement('a'), { href: url, download: `benchmark-${report?.date}.json` });
    link.click();
    URL.revokeObjectURL(url);
  });
  void describeAdapter();
}
