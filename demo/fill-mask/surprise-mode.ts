import type { MaskResult, Model } from '../../src/index';
import { masksIn } from './parts';
import { type ScoredWord, type ScoreOptions, scoreWords } from './surprise';
import { createSurpriseView, type SurpriseView } from './surprise-view';

/**
 * Shows a text coloured by the surprise of its words, as their bits come in. `show` puts elements on the page; `expect` asks what belongs
 * under one of the masks of a text, counted from 0; `replace` puts a token in place of a part of the text. Gives the words, and the tokens that were read.
 */
export async function showSurprise(
  model: Model,
  text: string,
  options: ScoreOptions,
  on: {
    show(elements: HTMLElement[]): void;
    expect(masked: string, mask: number): Promise<MaskResult | undefined>;
    replace(span: ScoredWord, token: string): void;
  },
): Promise<{ words: ScoredWord[]; read: number }> {
  let view: SurpriseView | undefined;
  let all: ScoredWord[] = [];
  const { maskToken = '' } = model.info;
  const masks = masksIn(text, maskToken);
  const choose = async ({ start, end }: ScoredWord) => {
    const before = masks.filter((mask) => mask.start < start).length;
    const mask = await on.expect(`${text.slice(0, start)}${maskToken}${text.slice(end)}`, before);
    if (mask) view?.showCandidates(mask.candidates);
  };
  const read = await scoreWords(model, text, {
    ...options,
    onWords(words) {
      if (options.signal.aborted) return;
      all = words;
      view ??= createSurpriseView(text, words, masks.length, { choose: (word) => void choose(word), pick: on.replace });
      if (!view.elements[0].isConnected) on.show(view.elements);
      view.update(words);
    },
  });
  view?.chooseLeastLikely();
  return { words: all, read };
}
