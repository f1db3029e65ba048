import { hasWords } from './highlight';
import { type Hit, passageText } from './passages';
import { type Bounds, type Relevance, relevanceOf } from './relevance';

/** What is said of a passage. One that has all words which somebody wrote, a name perhaps, has that for it, however far its meaning is. */
export type Judgement = Relevance | 'same words';

/** A hit with what is said of it: nothing, where its cosine or what that means is not known. */
export interface Judged {
  hit: Hit;
  judgement: Judgement | undefined;
}

/**
 * Judges hits for a query. `byWords`: hits of the same query by words, whose passages take the place of unlikely ones if they have all of its words: a
 * search by both names a document's best passage by meaning.
 */
export function judged(hits: Hit[], byWords: Hit[], query: string, bounds: Bounds | undefined): Judged[] {
  return hits.map((hit) => {
    const judgement = relevanceOf(hit, bounds);
    if (!judgement || judgement === 'likely') return { hit, judgement };
    if (hasWords(passageText(hit), query)) return { hit, judgement: 'same words' };
    if (judgement === 'maybe') return { hit, judgement };
    const other = byWords.find(({ id }) => id === hit.id);
    if (!other || !hasWords(passageText(other), query)) return { hit, judgement };
    return { hit: { ...hit, passage: other.passage, similarity: undefined }, judgement: 'same words' };
  });
}
