import type { Model } from '../../src/index';
import { element, find } from '../dom';
import { KNOWN_MODELS } from '../models/known-models';
import { count } from '../numbers';
import type { TabState } from '../tab-state';

/** Shorter vectors say too little. */
const SHORTEST = 32;

export interface EmbedChoice {
  /** What stands before every text; may be empty. */
  prompt: string;
  dimensions: number | undefined;
}

/** With whether texts above the limit are cut. */
export interface AskedOptions extends EmbedChoice {
  truncate: boolean;
}

/** What the loaded model leaves to its user: which of its prompts stands before every text, and how many numbers a vector keeps. */
export function createEmbedOptions(
  panel: HTMLElement,
  state: TabState,
): { update(name: string, model: Model | undefined): void; get(): EmbedChoice } {
  const prompts = find<HTMLSelectElement>(panel, '#prompt');
  const sizes = find<HTMLSelectElement>(panel, '#dimensions');
  const note = find(panel, '#dimensions-note');
  let trainedFor: number[] = [];
  let words: Record<string, string> = {};
  let preferred = '';

  /** The options, [value, what it says], with what the URL says chosen if it is one of them. */
  function fill(select: HTMLSelectElement, key: string, options: [string, string][], otherwise: string) {
    const asked = state.get(key);
    const chosen = options.some(([value]) => value === asked) ? asked : otherwise;
    select.replaceChildren(
      ...options.map(([value, text]) => element('option', { value, selected: value === chosen }, text)),
    );
  }

  function showNote() {
    const isAll = sizes.selectedIndex <= 0;
    note.textContent = isAll
      ? ''
      : trainedFor.includes(Number(sizes.value))
        ? 'This model was trained for this size (Matryoshka).'
        : 'Only models that were trained for fewer numbers (Matryoshka) stay good; nothing says so of this one and this size.';
  }

  const write = () => {
    state.set('prompt', prompts.value === preferred ? undefined : prompts.value);
    state.set('size', sizes.selectedIndex > 0 ? sizes.value : undefined);
    showNote();
  };
  for (const select of [prompts, sizes]) select.addEventListener('change', write);

  return {
    update(name, model) {
      find(panel, '#embed-options').hidden = !model;
      if (!model) return;
      const { info } = model;
      trainedFor = KNOWN_MODELS.find(({ id }) => id === name)?.matryoshka ?? [];
      words = info.prompts;
      preferred = info.defaultPrompt ?? info.promptNames.document ?? '';
      const named = Object.entries(words).map(([key, text]): [string, string] => [key, `${key}: “${text}”`]);
      fill(prompts, 'prompt', [['', 'nothing'], ...named], preferred);
      find(panel, '#prompt-field').hidden = named.length === 0;
      const all = info.embeddingSize;
      const shorter = [1024, 768, 512, 256, 128, 64, SHORTEST].filter((size) => size < all);
      const numbered = [all, ...shorter].map((size): [string, string] => [
        String(size),
        `${count(size)}${size === all ? ', all' : trainedFor.includes(size) ? ', trained for' : ''}`,
      ]);
      fill(sizes, 'size', numbered, String(all));
      showNote();
    },
    get() {
      return {
        prompt: words[prompts.value] ?? '',
        dimensions: sizes.selectedIndex > 0 ? Number(sizes.value) : undefined,
      };
    },
  };
}
