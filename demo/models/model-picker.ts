import type { Dtype, Model } from '../../src/index';
import { DeviceLostError } from '../../src/index';
import type { LoadProgress } from '../../src/progress';
import { aborted, element, find, isAbort, showError } from '../dom';
import { count, fileSize } from '../numbers';
import { createProgress } from '../progress-view';
import { STORAGE_CHANGE } from '../storage/storage-change';
import type { TabState } from '../tab-state';
import type { BuiltIn } from './built-in';
import { measureWhenIdle, runBegins, runEnds } from './idle-speed';
import type { Use } from './known-models';
import { type Choice, type createModelStore, hubChoice, isHubId, type Lease } from './model-store';

export interface PickerOptions {
  /** What the tab's model is for: decides which published ones are suggested. */
  use: Use;
  /** Models that come with the page; the first is chosen at first. */
  builtIn?: BuiltIn[];
  /** Where none comes with the page: the Hub id that is chosen at first. */
  first?: string;
  /** What its choice is called in the URL, where a tab has several pickers. Default: model. */
  key?: string;
  /** Hears when a model becomes ready or goes. */
  onChange(): void;
}

/** One tab's model: what is chosen, loading or loaded. */
export interface ModelPicker {
  /** The name of the model that is chosen. */
  name(): string;
  /** What is chosen. */
  choice(): Choice;
  /** The loaded model, or undefined. */
  current(): Model | undefined;
  /** Whether loading what is chosen has failed or was cancelled: only somebody who asks for it tries again. */
  isGivenUp(): boolean;
  /**
   * Loads the chosen model unless it is there; progress and failures show in the picker. One of the Hub that a link named, which may be
   * large, waits for `use`. Resolves when nothing is loading, whatever came of it.
   */
  load(): Promise<void>;
  /**
   * Runs `work` with the model, loading it first if need be. Aborting `signal` ends the waiting, not the loading. A model
   * whose GPU was lost is let go, so that the next run loads it again.
   */
  use(signal: AbortSignal, work: (model: Model) => Promise<void>): Promise<void>;
  /** Chooses the built-in model of this name, if there is one, unless another was chosen or one is loading or loaded. */
  suggest(name: string): void;
  /** Calls back when the options' `onChange` is called, too. */
  listen(listener: () => void): void;
}

type State = 'not loaded' | 'loading' | 'ready' | 'cancelled' | 'failed';

const DTYPES: Dtype[] = ['f32', 'f16', 'q8', 'q4'];

/** A model as the URL names it: `org/name` of the Hub or `name` of those built in; with `:q8` in that dtype. */
function linked(text = '', builtIn: BuiltIn[]): Choice | undefined {
  const [id, dtype] = text.split(':');
  const choice: Choice | undefined =
    builtIn.find(({ name }) => name === id) ?? (isHubId(id) ? { name: id, source: id } : undefined);
  return choice && { ...choice, dtype: choice.dtype ?? DTYPES.find((name) => name === dtype) };
}

/** What `linked` reads; undefined for the first built-in model as it comes, and for a folder. */
function linkTo({ source, dtype }: Choice, builtIn: BuiltIn[]): string | undefined {
  const own = builtIn.find((model) => model.source === source);
  if (own && !own.dtype && dtype) return `${own.name}:${dtype}`;
  if (own) return own === builtIn[0] ? undefined : own.name;
  return typeof source === 'string' && isHubId(source) ? [source, dtype].filter(Boolean).join(':') : undefined;
}

/** Puts a picker into `place`, whose models come from `store`; one of the Hub, or a built-in one but the first, is in the URL. */
export function createModelPicker(
  place: HTMLElement,
  store: ReturnType<typeof createModelStore>,
  state: TabState,
  { use: task, builtIn = [], first: firstId = '', key = 'model', onChange: heard }: PickerOptions,
): ModelPicker {
  place.append(find<HTMLTemplateElement>(document, '#model-picker').content.cloneNode(true));
  const listeners = [heard];
  const onChange = () => {
    for (const listener of listeners) listener();
  };
  const errorPlace = find(place, '.model > .error');
  const change = find<HTMLButtonElement>(place, '.change');
  const facts = find(place, '.model-facts');
  const moreFacts = find(place, '.facts-toggle');
  const loading = find(place, '.loading');
  const progress = createProgress(loading, () => void letGo('cancelled'));

  const first = builtIn[0] ?? hubChoice(firstId);
  let chosen = linked(state.get(key), builtIn) ?? first;
  let isLinked = chosen !== first;
  let lease: Lease | undefined;
  let model: Model | undefined;
  let stage: State = 'not loaded';

  function show(state: State) {
    stage = state;
    find(place, '.model-name strong').textContent = chosen.name;
    const stateText = find(place, '.model-state');
    stateText.textContent = state === 'failed' ? 'not loaded' : state;
    stateText.classList.toggle('ready', state === 'ready');
    if (state !== 'loading') {
      const hadFocus = loading.contains(document.activeElement);
      progress.hide();
      if (hadFocus) change.focus();
    }
    const own = builtIn.find(({ source }) => source === chosen.source);
    if (model) showFacts(modelFacts(model));
    else if (own) showFacts(builtInFacts(own));
    else void showPublished(chosen);
  }

  function showFacts(lines: string[]) {
    facts.replaceChildren(...lines.map((line) => element('span', {}, line)));
    moreFacts.hidden = lines.length === 0;
  }

  /** What the list of published models says of one of them: it comes late, as the list is not loaded with the page. */
  async function showPublished(choice: Choice) {
    showFacts([]);
    if (typeof choice.source !== 'string') return;
    const { publishedFacts } = await import('./candidates').catch(() => ({ publishedFacts: () => [] })); // offline
    if (choice === chosen && !model) showFacts(publishedFacts(choice));
  }

  function showProgress({ loaded, total }: LoadProgress) {
    if (loaded === total) progress.show({ what: 'Preparing the GPU' });
    else progress.show({ what: 'Loading', done: loaded, total, unit: 'bytes' });
  }

  /** The model of the current lease, taken now if there is none. */
  async function get(): Promise<Model> {
    if (model) return model;
    const own = lease ?? start();
    try {
      return await own.loaded;
    } catch (error) {
      if (isAbort(error)) throw error;
      throw new Error('The model could not be loaded; the reason stands under its name.', { cause: error });
    }
  }

  function start(): Lease {
    showError(errorPlace, undefined);
    const hadFocus = document.activeElement === change;
    progress.show({ what: 'Starting' });
    show('loading');
    if (hadFocus && !change.checkVisibility()) find(loading, 'button').focus(); // on a phone it takes its place
    const own = store.take(chosen, showProgress);
    lease = own;
    onChange();
    own.loaded.then(
      (loaded) => {
        if (lease !== own) return;
        model = loaded;
        show('ready');
        onChange();
        measureSoon();
        dispatchEvent(new Event(STORAGE_CHANGE));
      },
      (error) => {
        if (lease !== own) return;
        void letGo('failed');
        showError(errorPlace, advised(error, chosen.dtype));
      },
    );
    return own;
  }

  async function letGo(state: State) {
    const old = lease;
    lease = undefined;
    model = undefined;
    show(state);
    onChange();
    await old?.release();
  }

  async function use(signal: AbortSignal, work: (model: Model) => Promise<void>) {
    const used = await Promise.race([get(), aborted(signal)]);
    runBegins();
    try {
      await work(used);
    } catch (error) {
      if (error instanceof DeviceLostError && used === model) {
        lease?.forget();
        await letGo('not loaded');
      }
      throw error;
    } finally {
      runEnds();
      measureSoon();
    }
  }

  function measureSoon() {
    if (model && typeof chosen.source === 'string') measureWhenIdle(model, chosen.source);
  }

  async function choose(choice: Choice) {
    chosen = choice;
    await letGo('not loaded');
  }

  const load = () =>
    get().then(
      () => {},
      () => {}, // shown in place
    );
  async function take(choice: Choice) {
    isLinked = false;
    state.set(key, linkTo(choice, builtIn));
    await choose(choice);
    await load();
  }
  let dialog: Promise<{ open(chosen: Choice): void }> | undefined;
  async function openDialog() {
    dialog ??= import('./model-dialog').then(({ createModelDialog }) =>
      createModelDialog(find(place, '.model'), { use: task, builtIn, state, change }, (choice) => void take(choice)),
    );
    try {
      (await dialog).open(chosen);
    } catch (error) {
      dialog = undefined; // the next click tries again
      showError(errorPlace, error);
    }
  }
  state.onChange(() => {
    const found = linked(state.get(key), builtIn);
    // What came from a folder or is built in stays where the URL names no model.
    if (!found || linkTo(found, builtIn) === linkTo(chosen, builtIn)) return;
    isLinked = true;
    void choose(found);
  });
  change.addEventListener('click', () => void openDialog());
  moreFacts.addEventListener('click', () => {
    moreFacts.ariaExpanded = String(moreFacts.ariaExpanded !== 'true');
  });

  function suggest(name: string) {
    const own = builtIn.find((model) => model.name === name);
    if (!own || lease || chosen !== first || own === first) return;
    state.set(key, linkTo(own, builtIn));
    void choose(own);
  }

  show('not loaded');
  return {
    name: () => chosen.name,
    choice: () => chosen,
    current: () => model,
    isGivenUp: () => stage === 'cancelled' || stage === 'failed',
    load: async () => (isLinked ? undefined : load()),
    use,
    suggest,
    listen: (listener) => void listeners.push(listener),
  };
}

/** Adds to a failure what can be done about it here. */
function advised(error: unknown, dtype: Dtype | undefined): string {
  const message = error instanceof Error ? error.message : String(error);
  if (!/memory|allocat|maxBufferSize|maxStorageBufferBindingSize/i.test(message)) return message;
  const next = { auto: 'q8', f32: 'f16', f16: 'q8', q8: 'q4', q4: undefined }[dtype ?? 'auto'];
  return next
    ? `${message} Under “Change model” and “More models”, weights as ${next} take less memory.`
    : `${message} A smaller model takes less memory.`;
}

/** What a reader may want to know of a loaded model. */
function modelFacts({ info, memory }: Model): string[] {
  return [
    `${info.config.num_hidden_layers} layers, hidden size ${info.hiddenSize}`,
    `${info.dtype} weights, ${fileSize(memory().weights)} on the GPU`,
  ];
}

/** What is known of a model of the page before it is fetched. */
const builtInFacts = ({ bytes, parameters, maxTokens }: BuiltIn): string[] => [
  `English · ${parameters} M parameters`,
  `up to ${count(maxTokens)} tokens · ${fileSize(bytes)} to download`,
];
