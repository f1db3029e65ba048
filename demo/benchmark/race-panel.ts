// The race on the page: the button, the texts, who was how fast.
import { wrap } from 'comlink';
import { type PeerReport, peerTable } from '../../bench/peer/results';
import { prose } from '../../bench/texts';
import { loadModel, type Model } from '../../src/index';
import { describeProgress } from '../../src/progress';
import type { App } from '../app';
import { aborted, element, find } from '../dom';
import { largest } from '../extremes';
import { linesOf } from '../lines';
import { fileSize, plural } from '../numbers';
import { createRunButton } from '../run-button';
import { barList } from './bar-list';
import { environment } from './environment';
import type { Peer } from './peer-worker';
import { type Runner, race } from './race';
import { MODEL, nameOf, RACE_TO_COME, type Ran, raceRows, raceSentences, ranOf } from './report';
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
      return `${arithmetic}, weights in ${dtype}`;
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
      return device === 'wasm' ? 'f32, one thread' : 'f32';
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
  const results = find(section, '.race-results');
  const places = { error: find(form, '.error'), status: find(form, '.status') };
  find(section, '.race-bytes').textContent = fileSize(import.meta.env.RACE_BYTES);

  const readState = () => {
    field.value = app.state.get('race') ?? field.defaultValue;
  };
  field.addEventListener('input', () => app.state.keep('race', field.value));
  app.state.onChange(readState);
  void isSoftware.then((isSoftware) => {
    if (!isSoftware) field.defaultValue = longerTexts().join('\n');
    readState();
  });
  readState();

  const verdicts = (sentences: string[]) =>
    element('div', { className: 'verdicts', ariaLive: 'polite' }, ...sentences.map((text) => element('p', {}, text)));
  const showBars = (rows: typeof RACE_TO_COME, sentences: string[] = []) =>
    results.replaceChildren(barList(rows, 'linear'), verdicts(sentences));
  showBars(RACE_TO_COME);

  createRunButton(form, find(section, '#race-run'), places, async (signal, progress) => {
    const texts = linesOf(field.value);
    if (texts.length === 0) throw new Error('Write a text to embed, or several, one a line, under “What is compared”.');
    const most = Number(rounds.value);
    if (!Number.isInteger(most) || most < 1)
      throw new Error(`The rounds are “${rounds.value}”: give a whole number from 1 to 50.`);
    const before = [...results.childNodes];
    const runners: Runner[] = [];
    try {
      const loading = loadModel(`${models()}${MODEL}`, {
        signal,
        arithmetic: 'f32',
        onProgress: describeProgress(({ loaded, total }) =>
          progress.show({ what: `Loading ${MODEL}`, done: loaded, total, unit: 'bytes' }),
        ),
      }).catch((error) => {
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
      progress.show({ what: 'Preparing the GPU' });
      await Promise.race([model.warm(), aborted(signal)]); // tunes it for this card
      const lengths = await Promise.all(texts.map(async (text) => (await model.tokenize(text)).ids.length));
      const tokens = lengths.reduce((a, b) => a + b, 0);
      const raced = await Promise.race([
        race(runners, {
          texts,
          tokens,
          rounds: most,
          budget: BUDGET,
          signal,
          onProgress(contender, step, done, soFar) {
            const what = `${nameOf(contender)}: ${step}`;
            progress.show(done === undefined ? { what } : { what: 'Racing', done, total: most, unit: 'round' });
            if (soFar.some(({ runs_ms }) => runs_ms.length > 0)) showBars(raceRows(soFar));
          },
        }),
        aborted(signal), // a run in progress is not waited for
      ]);
      const ran = ranOf(model.info);
      showBars(raceRows(raced), raceSentences(raced, ran));
      const table = peerTable(raced).map(([, ...row]) => row); // there is one case
      find(section, '.race-table').replaceChildren(resultTable(table, 'The race'));
      const peer = `transformers.js ${import.meta.env.PEER_VERSIONS}`;
      found({ ...environment(), adapter: ran.adapter, peer, results: raced, bars: [] }, ran);
      const raceRounds = plural(largest(raced.map(({ runs_ms }) => runs_ms.length)), 'round');
      places.status.textContent = `Done: ${plural(texts.length, 'text')}, ${plural(tokens, 'token')}, ${raceRounds}.`;
    } catch (error) {
      results.replaceChildren(...before); // a race that does not end changes nothing
      throw error;
    } finally {
      for (const runner of runners) runner.end();
    }
  });
}
