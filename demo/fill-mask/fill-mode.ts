import type { MaskResult, Model } from '../../src/index';
import { CANDIDATES } from './candidates';
import type { FillView } from './fill-view';
import { masksIn } from './parts';

/**
 * Asks the model for the words under a text's masks and shows them: the best of all, or only `targets`, a list as it was written. `note` gets
 * what there is to say of targets that cannot be used. `isCurrent`: whether the page still has what is asked about; what it no longer has is not shown.
 * Undefined where there is no mask.
 */
export async function fill(
  model: Model,
  text: string,
  targets: string,
  view: FillView,
  options: { signal: AbortSignal; isCurrent(): boolean; note(text: string): void },
): Promise<MaskResult[] | undefined> {
  const { signal, isCurrent } = options;
  const { maskToken = '[MASK]' } = model.info;
  options.note('');
  if (!text.includes(maskToken)) return undefined;
  if (!targets.trim()) {
    const masks = await model.fillMask(text, { topK: CANDIDATES, signal });
    if (!isCurrent()) return masks;
    view.setResults(
      masks,
      masks.map(({ candidates }) => candidates.map(({ token, score }) => ({ token, share: score }))),
      CANDIDATES,
    );
    return masks;
  }
  const { amongThemselves, parseTargets, ratioText, usableTargets } = await import('./targets');
  const { usable, problems } = await usableTargets(model, text, masksIn(text, maskToken), parseTargets(targets));
  signal.throwIfAborted();
  if (isCurrent()) options.note(problems.join('\n'));
  if (usable.length === 0)
    throw new Error('None of the words under “Only these words” can be scored. Write others, or none.');
  const masks = await model.fillMask(text, { topK: usable.length, targets: usable, signal });
  if (!isCurrent()) return masks;
  view.setResults(
    masks,
    masks.map(({ candidates }) => amongThemselves(candidates)),
    usable.length,
    masks.map(ratioText),
  );
  return masks;
}
