import type { Model } from '../src/index';
import { debounced } from './dom';
import { count, plural } from './numbers';

/** Milliseconds of rest in typing before tokens are counted. */
const REST = 120;

/** Where every text's tokens go, as of the last count. */
export interface TokenCount {
  total: number;
  longest: number;
}

/**
 * Counts the tokens of a field as its user types, says them in `place`, and marks the field while a text is over the model's
 * limit, of which `block` hears. Call the returned function when the field's text or the model has changed.
 */
export function createTokenCounter(
  field: HTMLTextAreaElement,
  place: HTMLElement,
  block: (isOver: boolean) => void,
  model: () => Model | undefined,
  texts: () => string[],
): () => void {
  let latest = 0;

  async function update() {
    const current = model();
    const run = ++latest;
    if (!current) return show('Tokens are counted once the model is loaded.', false);
    try {
      const all = texts();
      const counted = await countTokens(current, all);
      if (run === latest) showCount(counted, all.length, current.info.maxTokens);
    } catch (error) {
      if (run === latest) show(`The tokens could not be counted: ${(error as Error).message}`, false);
    }
  }

  function showCount({ total, longest }: TokenCount, rows: number, limit: number) {
    const most = `${count(longest)} / ${count(limit)} tokens`;
    if (longest > limit) {
      const over = `${plural(longest - limit, 'token')} too many`;
      return show(`${most}: ${over}. Shorten ${rows > 1 ? 'the longest text' : 'the text'} to run the model.`, true);
    }
    show(rows > 1 ? `${plural(rows, 'text')}, ${plural(total, 'token')}; the longest ${most}` : most, false);
  }

  function show(message: string, over: boolean) {
    place.ariaLive = over ? 'assertive' : 'off'; // screen readers hear of the limit, not of every key
    place.textContent = message;
    place.classList.toggle('over', over);
    field.setAttribute('aria-invalid', String(over));
    block(over);
  }

  field.addEventListener('input', debounced(REST, update));
  void update();
  return update;
}

/** Tokens of several texts, special tokens included. */
export async function countTokens(model: Model, texts: string[]): Promise<TokenCount> {
  const lengths = await Promise.all(texts.map(async (text) => (await model.tokenize(text)).ids.length));
  return { total: lengths.reduce((sum, n) => sum + n, 0), longest: lengths.reduce((most, n) => Math.max(most, n), 0) };
}
