// The benchmark tab: how fast this device is, in a sentence; a race with ONNX Runtime Web; and under Details what experts look for.
import { computesOnCpu } from '../../bench/page/software';
import type { App } from '../app';
import { find, loadWhenOpened, messageOf } from '../dom';
import { adapterName } from '../status-line';
import { jsonFile, saveFile } from '../take-away/save-file';
import { createTakeAway } from '../take-away/take-away';
import './benchmark.css';
import { startMeasure } from './measure-panel';
import html from './panel.html?raw';
import { startRace } from './race-panel';
import { type BenchmarkReport, MODEL, type Ran, reportOf, textOfReport } from './report';
import { measureCode } from './snippet';

export function start(panel: HTMLElement, app: App): void {
  panel.innerHTML = html;
  const adapter = findAdapter();
  const onCpu = adapter.then((found) => found !== undefined && computesOnCpu(found.info));
  void describe(panel, adapter);

  let report: BenchmarkReport | undefined;
  const found = (part: Pick<BenchmarkReport, 'measured' | 'race'>, ran: Ran) => {
    const { measured, race } = { ...report, ...part };
    // A race computes in f32, whatever the measurement does.
    report = reportOf(part.measured || !report ? ran : report.ran, { measured, race });
    for (const button of [save, copy]) button.disabled = false;
    takeAway.update();
  };

  const { save, copy } = wireShare(find(panel, '.share'), () => report);
  const takeAway = createTakeAway(find(panel, '.take-away'), app.state, {
    code: () => measureCode(new URL(`models/${MODEL}`, document.baseURI).href),
    exports: () => (report ? [{ label: 'JSON', name: `${fileName(report)}.json`, make: () => jsonFile(report) }] : []),
    texts: ['race'],
  });
  startMeasure(find(panel, '#measure'), app, onCpu, (measured, ran) => found({ measured }, ran));
  startRace(find(panel, '#race'), app, onCpu, (race, ran) => found({ race }, ran));

  const details = find<HTMLDetailsElement>(panel, '#details');
  const parts = find(details, '.details-parts');
  loadWhenOpened(details, async () => {
    const { startDetails } = await import('./details');
    startDetails(parts, await adapter, await onCpu);
  });
}

const findAdapter = async (): Promise<GPUAdapter | undefined> =>
  (await navigator.gpu?.requestAdapter({ powerPreference: 'high-performance' }).catch(() => null)) ?? undefined;

async function describe(panel: HTMLElement, finding: Promise<GPUAdapter | undefined>): Promise<void> {
  const adapter = await finding;
  const place = find(panel, '#adapter');
  for (const id of ['#measure-run', '#race-run']) find<HTMLButtonElement>(panel, id).disabled = !adapter;
  place.textContent = adapter
    ? `${computesOnCpu(adapter.info) ? 'No GPU' : 'GPU'}: ${adapterName(adapter.info)}.`
    : 'This browser offers no WebGPU adapter, so nothing can be measured here.';
  find(panel, '#software-note').hidden = !(adapter && computesOnCpu(adapter.info));
}

const fileName = ({ date }: BenchmarkReport): string => `benchmark-${date.slice(0, 19).replaceAll(':', '-')}`;

/** The two ways to show others a result. */
function wireShare(row: HTMLElement, report: () => BenchmarkReport | undefined) {
  const save = find<HTMLButtonElement>(row, '#save-card');
  const copy = find<HTMLButtonElement>(row, '#copy-text');
  const said = find(row, '[role=status]');
  const wire = (button: HTMLButtonElement, share: (report: BenchmarkReport) => Promise<string>) =>
    button.addEventListener('click', async () => {
      const current = report();
      if (current) said.textContent = await share(current).catch(messageOf);
    });
  wire(save, async (report) => {
    const { cardOf, drawCard } = await import('./card');
    saveFile(`${fileName(report)}.png`, await drawCard(cardOf(report), document.body));
    return '';
  });
  wire(copy, async (report) => {
    await navigator.clipboard.writeText(textOfReport(report)).catch(() => {
      throw new Error('The browser did not allow copying.');
    });
    return 'Copied.';
  });
  return { save, copy };
}
