import type { MaskResult, Model } from '../../src/index';
import type { App } from '../app';
import { element, find } from '../dom';
import { NANO } from '../models/built-in';
import { type Answer, createComparison } from '../models/compare-models';
import type { ModelPicker } from '../models/model-picker';
import { percent, plural } from '../numbers';
import { agreement } from './agreement';

const CANDIDATES = 8;

/** What two models put under the same masks, side by side. */
export function compareModels(places: { intro: HTMLElement; work: HTMLElement }, app: App, first: ModelPicker): void {
  const field = find<HTMLTextAreaElement>(places.work.closest('.panel') ?? document, '#mask-text');
  createComparison<MaskResult[]>(places, app, first, {
    picker: { use: 'fill-mask', builtIn: [NANO] },
    label: 'Ask both models',
    asked: () => field.value,
    prepare() {
      const written = first.current()?.info.maskToken ?? '[MASK]';
      const text = field.value;
      if (!text.includes(written)) throw new Error(`Put a ${written} into the text, so that both models fill it.`);
      // Models write their mask differently.
      return async (model: Model, signal) => {
        const { maskToken = written } = model.info;
        if (maskToken !== written && text.includes(maskToken))
          throw new Error(`The text has a ${maskToken}, which only one of the models would fill. Take it out.`);
        return model.fillMask(text.replaceAll(written, maskToken), { topK: CANDIDATES, signal });
      };
    },
    show: (one, other) => [
      element('p', { ariaLive: 'polite' }, summary(one.value, other.value)),
      ...one.value.flatMap((_, i) => maskPart(one, other, i)),
    ],
  });
}

const wordsOf = ({ candidates }: MaskResult): string[] => candidates.map(({ token }) => token.trim());

function summary(one: MaskResult[], other: MaskResult[]): string {
  const all = one.map((mask, i) => agreement(wordsOf(mask), wordsOf(other[i])));
  const same = all.filter(({ sameFirst }) => sameFirst).length;
  const shared = all.reduce((sum, { shared }) => sum + shared.length, 0);
  const of = one.reduce((sum, { candidates }) => sum + candidates.length, 0);
  const first =
    all.length === 1
      ? same
        ? 'The same first word.'
        : 'Different first words.'
      : `The same first word under ${same} of ${plural(all.length, 'mask')}.`;
  return `${first} ${shared} of ${plural(of, 'candidate')} are shared.`;
}

/** Both lists of one mask; what both have is marked. */
function maskPart(one: Answer<MaskResult[]>, other: Answer<MaskResult[]>, i: number): HTMLElement[] {
  const masks = [one.value[i], other.value[i]];
  const shared = new Set(agreement(wordsOf(masks[0]), wordsOf(masks[1])).shared);
  const columns = [one, other].map(({ name }, column) =>
    element(
      'section',
      { ariaLabel: `${name}, mask ${i + 1}` },
      element('h4', {}, name),
      element(
        'ol',
        { className: 'words' },
        ...masks[column].candidates.map(({ token, score }) => {
          const word = token.trim();
          const isShared = shared.has(word);
          const text = element('span', { className: `word-text${isShared ? ' shared' : ''}` }, word || '␣');
          if (isShared) text.append(element('span', { className: 'visually-hidden' }, ' (both)'));
          return element('li', {}, text, element('span', { className: 'score' }, percent(score)));
        }),
      ),
    ),
  );
  const title = one.value.length > 1 ? [element('h4', {}, `Mask ${i + 1}`)] : [];
  return [...title, element('div', { className: 'columns' }, ...columns)];
}
