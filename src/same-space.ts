/** Throws a RangeError for vectors that both have an embedding space, and not the same. */
export function checkSpaces(a: { embeddingSpace?: string }, b: { embeddingSpace?: string }): void {
  const [own, other] = [a.embeddingSpace, b.embeddingSpace];
  if (own === other || own === undefined || other === undefined) return;
  throw new RangeError(
    `Vectors of different embedding spaces, ${own} and ${other}, cannot be compared: make both with one model and the same options. Without embeddingSpace they are not checked.`,
  );
}
