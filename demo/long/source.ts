import { find, isAbort, showError } from '../dom';
import { readDocument } from '../files/documents';
import { createDropZone } from '../files/drop-zone';
import { keptValue } from '../kept-value';
import { count } from '../numbers';
import type { TabState } from '../tab-state';
import type { Question } from './questions';
import { readChapter } from './sample';

/** The text that is read. */
export interface LongText {
  /** Of a file or the sample; '' of a text that was written. */
  name: string;
  text: string;
  /** Where its pages begin, if it has pages. */
  pages?: number[];
  /** What can be asked of it, if that is known. */
  questions?: Question[];
}

/** How a text came: what is written may not be finished yet. */
export type Origin = 'written' | 'file' | 'sample' | 'kept';

/** Characters from which on a text is too much for the field: browsers lay all of it out at every key. */
const FIELD_MOST = 100_000;

export interface Source {
  current(): LongText;
  /** Opens or closes the part of the page that takes it. */
  fold(isClosed: boolean): void;
}

/** Wires the field, the drop zone and the sample. `onChange` hears of another text. */
export function createSource(
  panel: HTMLElement,
  state: TabState,
  onChange: (text: LongText, origin: Origin) => void,
): Source {
  const field = find<HTMLTextAreaElement>(panel, '#long-text');
  const details = find<HTMLDetailsElement>(panel, '#long-source');
  const held = find(panel, '#long-held');
  const error = find(panel, '#long-file-error');
  const kept = keptValue<LongText>('long/text');
  let current: LongText = { name: '', text: '' };
  let came: Origin = 'written';
  let reading = new AbortController();

  function show() {
    const { name, text } = current;
    const isHeld = text.length > FIELD_MOST;
    field.hidden = isHeld;
    held.hidden = !isHeld;
    field.value = isHeld ? '' : text;
    find(held, '.name').textContent = `${name || 'Pasted text'}, ${count(text.length)} characters`;
    find(panel, '#long-name').textContent = name || (text.trim() ? 'your own' : '');
  }

  function take(next: LongText, origin: Origin) {
    reading.abort();
    current = next;
    came = origin;
    showError(error, undefined);
    if (origin !== 'written' || next.text.length > FIELD_MOST) show();
    else find(panel, '#long-name').textContent = next.text.trim() ? 'your own' : '';
    if (origin !== 'kept') keep(origin);
    onChange(next, origin);
  }

  function keep(origin: Origin) {
    // The chapter comes with the page: a link may name it.
    state.set('sample', origin === 'sample' ? 'yes' : undefined);
    void kept.write(origin === 'sample' || current.text === '' ? undefined : current);
  }

  async function load(read: (signal: AbortSignal) => Promise<LongText>, origin: Origin) {
    reading.abort();
    reading = new AbortController();
    const { signal } = reading;
    showError(error, undefined);
    try {
      const text = await read(signal);
      signal.throwIfAborted();
      take(text, origin);
    } catch (reason) {
      if (!isAbort(reason) && !signal.aborted) showError(error, reason);
    }
  }

  createDropZone(find(panel, '#long-drop'), {
    target: panel,
    prompt: 'Drop a file here: PDF, Word, EPUB, HTML or text',
    folders: false,
    multiple: false,
    onFiles([file, ...others]) {
      void load((signal) => readDocument(file, signal), 'file').then(() => {
        if (others.length > 0) showError(error, `One text at a time: ${file.name} was taken.`);
      });
    },
  });
  const takeSample = () => void load(readChapter, 'sample');
  find(panel, '#long-sample').addEventListener('click', takeSample);
  field.addEventListener('input', () => take({ name: '', text: field.value }, 'written'));
  field.addEventListener('paste', (event) => {
    const pasted = event.clipboardData?.getData('text/plain') ?? '';
    const { selectionStart, selectionEnd, value } = field;
    const text = value.slice(0, selectionStart) + pasted + value.slice(selectionEnd);
    if (text.length <= FIELD_MOST) return;
    event.preventDefault();
    take({ name: '', text }, 'written');
    find(held, 'button').focus();
  });
  find(held, 'button').addEventListener('click', () => {
    take({ name: '', text: '' }, 'written');
    show();
    field.focus();
  });

  state.onChange(() => {
    if (state.get('sample') && came !== 'sample') takeSample();
  });
  // Once its owner has what it needs to hear of it.
  queueMicrotask(async () => {
    if (state.get('sample')) return takeSample();
    const text = await kept.read();
    if (text && current.text === '') take(text, 'kept');
  });

  return {
    current: () => current,
    fold(isClosed) {
      if (isClosed && details.contains(document.activeElement)) find(details, 'summary').focus();
      details.open = !isClosed;
    },
  };
}

/** The page of a text that a character is on, counted from 1; undefined without pages. */
export function pageOf({ pages }: LongText, at: number): number | undefined {
  if (!pages || pages.length === 0) return undefined;
  const after = pages.findIndex((start) => start > at);
  return after < 0 ? pages.length : Math.max(1, after);
}
