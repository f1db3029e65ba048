// The race on the page: the button, the texts, who was how fast.
import { wrap } from 'comlink';
import { type PeerReport, type PeerResult, peerTable } from '../../bench/peer/results';
import { prose } from '../../bench/texts';
import { loadModel, type Model } from '../../src/index';
import type { App } from '../app';
import { aborted, element, find } from '../dom';
import { fileSize, plural } from '../numbers';
import { createRunButton } from '../run-button';
import { adapterName } from '../status-line';
import { barList } from './bar-list';
import { environment } from './environment';
import { MODEL } from './measure-panel';
import type { Peer } from './peer-worker';
import { type Runner, race } from './race';
import { type Ran, raceRows, raceSentences } from './report';
import { resultTable } from './tables';

/** Milliseconds of rounds: who is slow takes part in fewer. */
const BUDGET = 20_000;

/** transformers.js takes a path, but no whole address. */
const models = () => new URL('models/', document.baseURI).pathname;

/** This library in the precision of the others, f32. */
function ownRunner(loaded: () => Promise<Model>): Runner {
  return {
    contender: 'modernbert-webgpu',
    async load() {
      const { dtype, arithmetic } = (await loaded()).info;
      return `WebGPU, ${arithmetic}, weights in ${dtype}`;
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
      return device === 'wasm' ? 'CPU, f32, one thread' : 'WebGPU, f32';
    },
    embed: (texts) => Promise.race([remote.embed(texts), failed]),
    end: () => worker.terminate(),
  };
}

/** Sixteen texts as uneven as real documents, of 40 to 1,500 characters: enough to fill a GPU, and too much for a software adapter. */
const longerTexts = (): string[] =>
  Array.from({ length: 16 }, (_, i) => prose(i + 1, 40 * 37 ** (((5 * i) % 16) / 15)).trim());

/** Wires the race; `found` gets its result. `isSoftware`: whether the adapter is none of a GPU. */
export function startRace(
  section: HTMLElement,
  app: App,
  isSoftware: Promise<boolean>,
  found: (race: PeerReport, ran: Ran) => void,
): void {
  const form = find<HTMLFormElement>(section, 'form');
  const field = find<HTMLTextAreaElement>(section, '#race-text');
  const rounds = find<HTMLInputElement>(section, '#race-rounds');
  const status = find(form, '.status');
  const results = find(section, '.race-results');
  find(section, '.race-bytes').textContent = fileSize(import.meta.env.RACE_BYTES);
  const kept = app.state.get('race');
  if (kept !== undefined) field.value = kept;
  else {
    void isSoftware.then((isSoftware) => {
      if (!isSoftware && field.value === field.defaultValue) field.value = longerTexts().join('\n');
    });
  }
  field.addEventListener('input', () => app.state.keep('race', field.value));

  function show(found: PeerResult[], isDone: boolean) {
    const rows = raceRows(found);
    if (rows.length === 0) return;
    const table = peerTable(found).map(([, ...row]) => row); // there is one case
    results.replaceChildren(
      ...(isDone ? raceSentences(found).map((textContent) => element('p', { textContent, className: 'verdict' })) : []),
      barList(rows, 'linear'),
      ...(isDone ? [element('details', {}, element('summary', {}, 'All figures'), resultTable(table, 'The race'))] : []),
    );
  }

  createRunButton(form, find<HTMLButtonElement>(section, '#race-run'), { error: find(form, '.error'), status }, async (signal) => {
    const texts = field.value.split('\n').filter((line) => line.trim() !== '');
    if (texts.length === 0) throw new Error('Write a text to embed, or several, one a line.');
    const runners: Runner[] = [];
    const before = [...results.childNodes];
    try {
      status.textContent = 'Loading this library …';
      const loading = loadModel(`${models()}${MODEL}`, { signal, arithmetic: 'f32' }).catch((error) => {
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
      await Promise.race([model.warm(), aborted(signal)]); // tunes it for this card
      const lengths = await Promise.all(texts.map(async (text) => (await model.tokenize(text)).ids.length));
      const tokens = lengths.reduce((a, b) => a + b, 0);
      const raced = await Promise.race([
        race(runners, {
          texts,
          tokens,
          rounds: Number(rounds.value),
          budget: BUDGET,
          signal,
          onProgress(line, _done, soFar) {
            status.textContent = line;
            show(soFar, false);
          },
        }),
        aborted(signal), // a run in progress is not waited for
      ]);
      show(raced, true);
      const { runs_ms } = raced[0];
      status.textContent = `Done: ${plural(texts.length, 'text')}, ${plural(tokens, 'token')}, ${plural(runs_ms.length, 'round')}.`;
      const { dtype, arithmetic, adapter, profile } = model.info;
      const ran = { model: MODEL, dtype, arithmetic, adapter: adapterName(adapter), isSoftware: profile === 'software' };
      const peer = `transformers.js ${import.meta.env.PEER_VERSIONS}`;
      found({ ...environment(), adapter: ran.adapter, peer, results: raced, bars: [] }, ran);
    } catch (error) {
      results.replaceChildren(...before); // what there was before
      throw error;
    } finally {
      for (const runner of runners) runner.end();
    }
  });
}
