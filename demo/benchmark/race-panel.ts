// The race on the page: the texts, the button, who was how fast.
import { wrap } from 'comlink';
import { type PeerReport, type PeerResult, peerTable } from '../../bench/peer/results';
import { loadModel, type Model } from '../../src/index';
import type { App } from '../app';
import { aborted, find } from '../dom';
import { fileSize, plural } from '../numbers';
import { createRunButton } from '../run-button';
import { adapterName } from '../status-line';
import { raceChart } from './charts';
import { environment } from './environment';
import type { Peer } from './peer-worker';
import { type Runner, race } from './race';
import { createShare } from './share';
import { resultTable } from './tables';

const MODEL = 'nano-embed';
/** transformers.js takes a path, but no whole address. */
const models = () => new URL('models/', document.baseURI).pathname;

/** This library, as `loadModel` gives it without options. */
function ownRunner(loaded: () => Promise<Model>): Runner {
  return {
    contender: 'modernbert-webgpu',
    async load() {
      const { dtype, arithmetic } = (await loaded()).info;
      return `WebGPU, ${dtype} weights, ${arithmetic}`;
    },
    async embed(texts) {
      const model = await loaded();
      const start = performance.now();
      const { data, dim } = await model.embed(texts, { pooling: 'mean' });
      return { ms: performance.now() - start, dim, data: Array.from(data) };
    },
    end: () =>
      void loaded().then(
        (model) => model.dispose(),
        () => {}, // never came to be
      ),
  };
}

/** transformers.js in a worker. A worker that cannot start fails the runner. */
function peerRunner(device: 'webgpu' | 'wasm'): Runner {
  const worker = new Worker(new URL('./peer-worker.ts', import.meta.url), { type: 'module', name: 'transformers.js' });
  const remote = wrap<Peer>(worker);
  const failed = new Promise<never>((_, reject) => {
    worker.onerror = ({ message }) => reject(new Error(message || 'its worker could not be loaded.'));
  });
  failed.catch(() => {}); // heard by whoever waits
  return {
    contender: `transformers.js ${device}`,
    async load() {
      await Promise.race([remote.load(MODEL, device, models()), failed]);
      return device === 'wasm' ? 'WebAssembly, f32, one thread' : 'WebGPU, f32';
    },
    embed: (texts) => Promise.race([remote.embed(texts), failed]),
    end: () => worker.terminate(),
  };
}

/** Wires the race. */
export function startRace(section: HTMLElement, app: App): void {
  const form = find<HTMLFormElement>(section, 'form');
  const field = find<HTMLTextAreaElement>(section, '#race-text');
  const rounds = find<HTMLInputElement>(section, '#race-rounds');
  const status = find(section, '.status');
  const results = find(section, '.race-results');
  find(section, '.race-bytes').textContent = fileSize(import.meta.env.RACE_BYTES);
  field.value = app.state.get('race') ?? field.value;
  field.addEventListener('input', () => app.state.set('race', field.value));

  const show = (found: PeerResult[]): SVGSVGElement | undefined => {
    const finished = found.some(({ median_ms }) => median_ms !== undefined);
    const table = peerTable(found).map(([, ...row]) => row); // there is one case
    const chart = finished ? raceChart(found, Math.max(300, Math.min(760, form.clientWidth))) : undefined;
    results.replaceChildren(...(chart ? [chart] : []), resultTable(table, 'The race'));
    return chart;
  };

  const places = { error: find(form, '.error'), status };
  const share = createShare(find(form, '.share'), places.error);
  createRunButton(form, find<HTMLButtonElement>(section, '#race-run'), places, async (signal) => {
    const texts = field.value.split('\n').filter((line) => line.trim() !== '');
    if (texts.length === 0) throw new Error('Write a text to embed, or several, one a line.');
    results.replaceChildren();
    share(undefined);
    const runners: Runner[] = [];
    try {
      status.textContent = 'Loading this library …';
      const loading = loadModel(`${models()}${MODEL}`, { signal }).catch((error) => {
        if (signal.aborted || navigator.onLine) throw error;
        const files = `${fileSize(import.meta.env.RACE_BYTES)} of files`;
        throw new Error(`The race needs the network: its ${files} come when it first starts, and are then kept.`);
      });
      runners.push(
        ownRunner(() => loading),
        peerRunner('webgpu'),
        peerRunner('wasm'),
      );
      const model = await loading;
      await model.warm(); // tunes it for this card
      const lengths = await Promise.all(texts.map(async (text) => (await model.tokenize(text)).ids.length));
      const tokens = lengths.reduce((a, b) => a + b, 0);
      const found = await Promise.race([
        race(runners, {
          texts,
          tokens,
          rounds: Number(rounds.value),
          signal,
          onProgress(line, soFar) {
            status.textContent = line;
            if (soFar.some(({ runs_ms }) => runs_ms.length > 0)) show(soFar);
          },
        }),
        aborted(signal), // a run in progress is not waited for
      ]);
      const chart = show(found);
      status.textContent = `Done: ${plural(texts.length, 'text')}, ${plural(tokens, 'token')}, ${plural(Number(rounds.value), 'round')}.`;
      const peer = `transformers.js ${import.meta.env.PEER_VERSIONS}`;
      const report: PeerReport = {
        ...environment(),
        adapter: adapterName(model.info.adapter),
        peer,
        results: found,
        bars: [],
      };
      share({
        name: `race-${report.date}`,
        report,
        title: 'Embedding the same texts: modernbert-webgpu and transformers.js',
        facts: [
          report.adapter,
          `${report.runtime} · ${peer} · ${report.date.slice(0, 10)}`,
          `${plural(texts.length, 'text')}, ${plural(tokens, 'token')}, nano-embed; median of ${plural(Number(rounds.value), 'run')} each, in turn`,
          ...found.filter(({ failure }) => failure).map(({ contender, failure }) => `${contender} failed: ${failure}`),
        ],
        charts: chart ? [chart] : [],
      });
    } finally {
      for (const runner of runners) runner.end();
    }
  });
}
