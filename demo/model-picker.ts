import type { Model, ModelSource, Progress } from '../src/index';
import { DeviceLostError, loadModel } from '../src/index';
import { element, find, isAbort, showError } from './dom';
import { folderFiles } from './folder-files';
import { fileSize, percent } from './numbers';

/** A model that can be loaded and what to call it. */
export interface Choice {
  name: string;
  source: ModelSource;
}

/** One panel's model: what is chosen, loading or loaded. */
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

/**
 * Puts a picker into `place`. `builtIn` is what it offers at first; `onChange` hears when a model becomes ready or goes.
 */
export function createModelPicker(place: HTMLElement, builtIn: Choice, onChange: () => void): ModelPicker {
  place.append(find<HTMLTemplateElement>(document, '#model-picker').content.cloneNode(true));
  const bar = find<HTMLProgressElement>(place, 'progress');
  const loadingText = find(place, '.loading-text');
  const errorPlace = find(place, '.error');
  const details = find<HTMLDetailsElement>(place, 'details');
  const radios = [...place.querySelectorAll<HTMLInputElement>('input[type=radio]')];

  let chosen = builtIn;
  let model: Model | undefined;
  let loading: Promise<Model> | undefined;
  let controller = new AbortController();

  const kind = () => radios.find((radio) => radio.checked)?.value;

  /** What the radio buttons say; throws an Error in words if that is incomplete. */
  function choice(): Choice {
    if (kind() === 'hub') return hubChoice(find<HTMLInputElement>(place, '.hub-id').value);
    if (kind() === 'folder') return folderFiles(find<HTMLInputElement>(place, '.folder').files ?? []);
    return builtIn;
  }

  function show(state: 'not loaded' | 'loading' | 'ready' | 'cancelled') {
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

  async function load(): Promise<Model> {
    controller = new AbortController();
    const { signal } = controller;
    showError(errorPlace, undefined);
    bar.removeAttribute('value');
    loadingText.textContent = 'Starting …';
    show('loading');
    onChange();
    try {
      model = await loadModel(chosen.source, { signal, onProgress: showProgress });
      show('ready');
      closeDetails();
      onChange();
      return model;
    } catch (error) {
      show(isAbort(error) ? 'cancelled' : 'not loaded');
      if (isAbort(error)) throw error;
      showError(errorPlace, error);
      throw new Error('The model could not be loaded; the reason stands under its name.', { cause: error });
    } finally {
      loading = undefined;
    }
  }

  async function unload() {
    const old = model;
    model = undefined;
    show('not loaded');
    onChange();
    await old?.dispose();
  }

  function get(): Promise<Model> {
    if (model) return Promise.resolve(model);
    loading ??= load();
    loading.catch(() => {}); // load has shown it
    return loading;
  }

  async function use(signal: AbortSignal, work: (model: Model) => Promise<void>) {
    const used = await Promise.race([get(), aborted(signal)]);
    try {
      await work(used);
    } catch (error) {
      if (error instanceof DeviceLostError && used === model) await unload();
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
  find(place, '.cancel').addEventListener('click', () => controller.abort());
  find(place, '.load').addEventListener('click', async () => {
    try {
      chosen = choice();
    } catch (error) {
      return showError(errorPlace, error);
    }
    controller.abort();
    await loading?.catch(() => {});
    await unload();
    void get();
  });

  show('not loaded');
  return { name: () => chosen.name, current: () => model, load: () => void get(), use };
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

function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
}
