import type { Model } from '../../src/index';
import { debounced, element, find, showError } from '../dom';
import { largest } from '../extremes';
import { namedProblems, type ReadDocument, readDocuments } from '../files/documents';
import { createDropZone } from '../files/drop-zone';
import { keptValue } from '../kept-value';
import { linesOf } from '../lines';
import { count, plural } from '../numbers';
import { createProgress } from '../progress-view';

/** A text to embed. `group`: where it comes from, a file's name or PASTED. */
export interface Item {
  text: string;
  group: string;
}

export const PASTED = 'Pasted';
/** Milliseconds of rest in typing before tokens are counted. */
const REST = 120;
/** Tokens of a part, where files are divided. */
const PART = 256;

/** Texts whose tokens are listed. */
const LISTED = 500;

/** The texts of a field, one per line. */
/** The texts of the tab: the field's lines and the files that were given. */
export interface Texts {
  /** Resolves once the files that were given are read. */
  read(): Promise<void>;
  /** What to embed; files divided into parts if the user wants that. Throws an Error in words if there is nothing. */
  items(model: Model, signal: AbortSignal): Promise<Item[]>;
  /** Whether texts above the limit may be cut. */
  truncate(): boolean;
  /** Counts again, because the model has changed. */
  recount(): void;
}

/**
 * Wires the field, the drop zone, the list of files and the token counts; `block` hears whether a text is too long, `onChange` of other texts.
 */
export function createTexts(
  panel: HTMLElement,
  block: (isOver: boolean) => void,
  model: () => Model | undefined,
  onChange: () => void,
): Texts {
  const field = find<HTMLTextAreaElement>(panel, '#texts');
  const place = find(panel, '#texts-count');
  const list = find(panel, '#documents');
  const each = find<HTMLDetailsElement>(panel, '#token-list');
  const cut = find<HTMLInputElement>(panel, '#cut');
  const parts = find<HTMLInputElement>(panel, '#parts');
  const documents: ReadDocument[] = [];
  const kept = keptValue<ReadDocument[]>('embeddings/files');
  const counted = new WeakMap<Model, Map<string, number>>();
  let reading = Promise.resolve();
  let waiting = 0;
  let stopping = new AbortController();
  const progressPlace = element('div', { className: 'reading' });
  find(panel, '#file-error').before(progressPlace);
  const progress = createProgress(progressPlace, () => {
    stopping.abort();
    stopping = new AbortController();
  });
  function hideProgress() {
    const hadFocus = progressPlace.contains(document.activeElement);
    progress.hide();
    if (hadFocus) field.focus();
  }
  let latest = 0;

  const lines = (): Item[] => linesOf(field.value).map((text) => ({ text, group: PASTED }));
  const whole = (): Item[] => [...lines(), ...documents.map(({ name, text }) => ({ text, group: name }))];

  async function tokensOf(current: Model, texts: string[]): Promise<number[]> {
    const known = counted.get(current) ?? new Map<string, number>();
    counted.set(current, known);
    return Promise.all(
      texts.map(async (text) => {
        const tokens = known.get(text) ?? (await current.tokenize(text)).ids.length;
        known.set(text, tokens);
        return tokens;
      }),
    );
  }

  async function recount() {
    const run = ++latest;
    const current = model();
    const all = whole();
    if (!current) {
      showDocuments([]);
      return say('Tokens are counted once the model is loaded.', false);
    }
    try {
      const tokens = await tokensOf(
        current,
        all.map(({ text }) => text),
      );
      if (run === latest) showCounts(all, tokens, current.info.maxTokens);
    } catch (error) {
      if (run === latest) say(`The tokens could not be counted: ${(error as Error).message}`, false);
    }
  }

  function showCounts(all: Item[], tokens: number[], limit: number) {
    showDocuments(tokens.slice(all.length - documents.length));
    const ofTotal = (n: number) => `${count(n)} / ${count(limit)} tokens`;
    const isDivided = (item: Item) => parts.checked && item.group !== PASTED;
    const over = all.findIndex((item, i) => tokens[i] > limit && !isDivided(item));
    each.hidden = all.length < 2;
    find(each, 'ol').replaceChildren(
      ...all
        .slice(0, LISTED)
        .map(({ text }, i) =>
          element(
            'li',
            { className: tokens[i] > limit && !isDivided(all[i]) ? 'over' : '' },
            element('span', { className: 'text' }, text.slice(0, 200)),
            ` ${ofTotal(tokens[i])}`,
          ),
        ),
      ...(all.length > LISTED ? [element('li', {}, `and ${count(all.length - LISTED)} more`)] : []),
    );
    if (over >= 0) {
      const name = all[over].group === PASTED ? (all.length > 1 ? `Text ${over + 1}: ` : '') : `${all[over].group}: `;
      const much = `${name}${ofTotal(tokens[over])}, ${plural(tokens[over] - limit, 'token')} too many.`;
      if (cut.checked) return say(`${much} Its first ${count(limit)} are used.`, false);
      return say(`${much} Shorten it, or allow under Options to cut long texts or to divide files.`, true);
    }
    const most = ofTotal(largest([0, ...tokens]));
    const total = tokens.reduce((sum, n) => sum + n, 0);
    say(all.length > 1 ? `${plural(all.length, 'text')}, ${plural(total, 'token')}; the longest ${most}` : most, false);
  }

  function say(message: string, over: boolean) {
    place.ariaLive = over ? 'assertive' : 'off'; // screen readers hear of the limit, not of every key
    place.textContent = message;
    place.classList.toggle('over', over);
    field.setAttribute('aria-invalid', String(over));
    block(over);
  }

  function showDocuments(tokens: number[]) {
    list.hidden = documents.length === 0;
    list.replaceChildren(
      ...documents.map((document, i) => {
        const remove = element('button', { type: 'button', ariaLabel: `Remove ${document.name}` }, 'Remove');
        remove.addEventListener('click', () => {
          documents.splice(documents.indexOf(document), 1);
          void kept.write(documents);
          onChange();
          void recount();
          field.focus();
        });
        const size = tokens[i] === undefined ? '' : plural(tokens[i], 'token');
        return element(
          'li',
          {},
          element('span', { className: 'name' }, document.name),
          element('span', { className: 'count' }, size),
          remove,
        );
      }),
    );
  }

  /** Reads files once those before them are read. */
  function take(files: File[]) {
    const error = find(panel, '#file-error');
    if (waiting === 0) showError(error, undefined);
    waiting++;
    const { signal } = stopping;
    reading = reading.then(async () => {
      const read = await readDocuments(files, signal, (done, total) =>
        progress.show({ what: 'Reading', done, total, unit: 'file' }),
      ).catch(() => ({ documents: [], problems: [] })); // cancelled
      hideProgress();
      for (const document of read.documents) {
        const same = documents.findIndex(({ name }) => name === document.name);
        documents.splice(same < 0 ? documents.length : same, same < 0 ? 0 : 1, document);
      }
      if (read.problems.length > 0) {
        showError(error, [error.textContent, namedProblems(read.problems)].filter(Boolean).join('\n'));
      }
      waiting--;
      if (read.documents.length > 0) {
        void kept.write(documents);
        onChange();
      }
      await recount();
    });
  }

  createDropZone(find(panel, '#drop'), { target: panel, onFiles: take });
  field.addEventListener('input', onChange);
  field.addEventListener('input', debounced(REST, recount));
  for (const option of [cut, parts]) {
    option.addEventListener('change', () => {
      onChange();
      void recount();
    });
  }
  void recount();
  // Files of the last visit come before those of this one, which wait for them.
  reading = kept.read().then(async (files) => {
    for (const document of files ?? []) documents.push(document);
    if (documents.length > 0) await recount();
  });

  return {
    truncate: () => cut.checked,
    read: () => reading,
    recount: () => void recount(),
    async items(current, signal) {
      if (!parts.checked || documents.length === 0) {
        const all = whole();
        if (all.length === 0) throw new Error('Write at least one line of text, or add a file.');
        return all;
      }
      // As they are now, whatever its user does meanwhile.
      const [own, files] = [lines(), [...documents]];
      const divided = await current.chunk(
        files.map(({ text }) => text),
        { maxTokens: PART, signal },
      );
      return [...own, ...divided.flatMap((chunks, d) => chunks.map(({ text }) => ({ text, group: files[d].name })))];
    },
  };
}
