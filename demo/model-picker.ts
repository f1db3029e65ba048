import type { Model, Progress } from '../src/index';
import { DeviceLostError } from '../src/index';
import { aborted, element, find, isAbort, showError } from './dom';
import { folderFiles } from './folder-files';
import type { Choice, createModelStore, Lease } from './model-store';
import { fileSize, percent } from './numbers';

export interface PickerOptions {
  /** What is chosen at first. */
  builtIn: Choice;
  /** Hears when a model becomes ready or goes. */
  onChange(): void;
}

/** One tab's model: what is chosen, loading or loaded. */
export interface ModelPicker {
  /** The name of the model that is chosen. */
  name(): string;
  /** The loaded model, or undefined. */
  current(): Model | undefined;
  /** Loads the chosen model unless it is there; progress and failures show in the picker. */
  load(): void;
  /**
   * Runs `work` with the model, loading it first if need be. Aborting `signal` ends the waiting, not the loading. A model
   * whose GPU was lost is let go, so that the next run loads it again.
   */
  use(signal: AbortSignal, work: (model: Model) => Promise<void>): Promise<void>;
}

type State = 'not loaded' | 'loading' | 'ready' | 'cancelled';

/** Puts a picker into `place`, whose models come from `store`. */
export function createModelPicker(
  place: HTMLElement,
  store: ReturnType<typeof createModelStore>,
  { builtIn, onChange }: PickerOptions,
): ModelPicker {
  place.append(find<HTMLTemplateElement>(document, '#model-picker').content.cloneNode(true));
  const bar = find<HTMLProgressElement>(place, 'progress');
  const loadingText = find(place, '.loading-text');
  const errorPlace = find(place, '.error');
  const details = find<HTMLDetailsElement>(place, 'details');
  const radios = [...place.querySelectorAll<HTMLInputElement>('input[type=radio]')];

  let chosen = builtIn;
  let lease: Lease | undefined;
  let model: Model | undefined;

  const kind = () => radios.find((radio) => radio.checked)?.value;

  /** What the radio buttons say; throws an Error in words if that is incomplete. */
  function choice(): Choice {
    if (kind() === 'hub') return hubChoice(find<HTMLInputElement>(place, '.hub-id').value);
    if (kind() === 'folder') return folderFiles(find<HTMLInputElement>(place, '.folder').files ?? []);
    return builtIn;
  }

  function show(state: State) {
    find(place, '.model-name strong').textContent = chosen.name;
    const stateText = find(place, '.model-state');
    stateText.textContent = state;
    stateText.classList.toggle('ready', state === 'ready');
    find(place, '.loading').hidden = state !== 'loading';
    const facts = find(place, '.model-facts');
    facts.hidden = !model;
    if (model) facts.replaceChildren(...modelFacts(model));
  }

  function showProgress(progress: Progress) {
    const { loaded, total } = progress;
    if (total) bar.value = loaded / total;
    else bar.removeAttribute('value');
    loadingText.textContent = progressText(progress);
  }

  function closeDetails() {
    if (details.contains(document.activeElement)) find(details, 'summary').focus();
    details.open = false;
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
    bar.removeAttribute('value');
    loadingText.textContent = 'Starting …';
    show('loading');
    const own = store.take(chosen, showProgress);
    lease = own;
    onChange();
    own.loaded.then(
      (loaded) => {
        if (lease !== own) return;
        model = loaded;
        show('ready');
        closeDetails();
        onChange();
      },
      (error) => {
        if (lease !== own) return;
        void letGo('not loaded');
        showError(errorPlace, error);
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
    try {
      await work(used);
    } catch (error) {
      if (error instanceof DeviceLostError && used === model) {
        lease?.forget();
        await letGo('not loaded');
      }
      throw error;
    }
  }

  find(place, '.built-in-name').textContent = builtIn.name;
  for (const radio of radios) {
    radio.name = `model-in-place-of-${builtIn.name}`;
    radio.addEventListener('change', () => {
      for (const detail of place.querySelectorAll<HTMLElement>('[data-for]')) {
        detail.hidden = detail.dataset.for !== kind();
      }
    });
  }
  find(place, '.cancel').addEventListener('click', () => void letGo('cancelled'));
  find(place, '.load').addEventListener('click', async () => {
    try {
      chosen = choice();
    } catch (error) {
      return showError(errorPlace, error);
    }
    await letGo('not loaded');
    void get().catch(() => {}); // shown in place
  });

  show('not loaded');
  return { name: () => chosen.name, current: () => model, load: () => void get().catch(() => {}), use };
}

function hubChoice(text: string): Choice {
  const id = text.trim();
  if (/^[\w.-]+\/[\w.-]+$/.test(id)) return { name: id, source: id };
  throw new Error('Give the Hub id as organisation/model, for example answerdotai/ModernBERT-base.');
}

function progressText({ file, loaded, total }: Progress): string {
  if (!total) return `${file}: ${fileSize(loaded)}`;
  if (loaded === total && file.endsWith('.safetensors')) return `${file}: ${fileSize(total)}. Preparing the GPU …`;
  return `${file}: ${fileSize(loaded)} of ${fileSize(total)}, ${percent(loaded / total, 0)}`;
}

/** What a reader may want to know of a loaded model. */
function modelFacts({ info, memory }: Model): Node[] {
  return [
    `${info.config.num_hidden_layers} layers, hidden size ${info.hiddenSize}`,
    `${info.dtype} weights, ${fileSize(memory().weights)} on the GPU`,
  ].map((fact) => element('span', {}, fact));
}
