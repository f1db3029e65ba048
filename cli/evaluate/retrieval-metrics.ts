/** Metrics of a ranking, as trec_eval counts them (through pytrec_eval, which BEIR uses). */

/** How relevant documents are to a query, by their ids; above 0 is relevant. */
export type Judgements = ReadonlyMap<string, number>;

/** A document that a query found. */
export interface Hit {
  id: string;
  score: number;
}

/** trec_eval's order: by score, rounded to f32, then by id, the last in byte order first. */
export const byRank = (a: Hit, b: Hit): number => Math.fround(b.score) - Math.fround(a.score) || compareIds(b.id, a.id);

/** As C's strcmp compares UTF-8. UTF-16 has another order from U+E000. */
export const compareIds = (a: string, b: string): number =>
  a === b ? 0 : Buffer.compare(Buffer.from(a), Buffer.from(b));

/**
 * Normalised discounted cumulative gain of the first `k` of a ranking: the sum of grade / log2(1 + rank), as a share of that of the best ranking
 * there is (Järvelin and Kekäläinen 2002, with linear gains). 0 for a query without a relevant document.
 */
export function ndcg(ranking: readonly string[], judgements: Judgements, k: number): number {
  const best = gain([...judgements.values()].sort((a, b) => b - a).slice(0, k));
  return best > 0 ? gain(ranking.slice(0, k).map((id) => judgements.get(id) ?? 0)) / best : 0;
}

const gain = (grades: number[]): number =>
  grades.reduce((sum, grade, i) => sum + Math.max(grade, 0) / Math.log2(i + 2), 0);

/** The share of the relevant documents that are among the first `k`; 0 for a query without one. */
export function recall(ranking: readonly string[], judgements: Judgements, k: number): number {
  const relevant = [...judgements.values()].filter((grade) => grade > 0).length;
  return relevant > 0 ? ranking.slice(0, k).filter(isRelevant(judgements)).length / relevant : 0;
}

/** 1 / the rank of the first relevant document, or 0 if there is none among the first `k`. Its mean over queries is MRR@k. */
export function reciprocalRank(ranking: readonly string[], judgements: Judgements, k: number): number {
  const at = ranking.slice(0, k).findIndex(isRelevant(judgements));
  return at < 0 ? 0 : 1 / (at + 1);
}

const isRelevant =
  (judgements: Judgements) =>
  (id: string): boolean =>
    (judgements.get(id) ?? 0) > 0;

/** How deep nDCG and MRR look. */
const CUT = 10;

/** Means over all judged queries; one without a ranking counts as 0, also one without a relevant document. */
export function retrievalMetrics(
  judged: ReadonlyMap<string, Judgements>,
  rankingOf: (query: string) => readonly string[],
  recallAt: readonly number[],
): Record<string, number> {
  const mean = (metric: (ranking: readonly string[], judgements: Judgements) => number) => {
    let sum = 0;
    for (const [query, judgements] of judged) sum += metric(rankingOf(query), judgements);
    return sum / judged.size;
  };
  const recalls = recallAt.map((k) => [`recall@${k}`, mean((ranking, grades) => recall(ranking, grades, k))]);
  return {
    [`ndcg@${CUT}`]: mean((ranking, grades) => ndcg(ranking, grades, CUT)),
    ...Object.fromEntries(recalls),
    [`mrr@${CUT}`]: mean((ranking, grades) => reciprocalRank(ranking, grades, CUT)),
  };
}
