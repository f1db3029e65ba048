import type { Kind } from '../api/embeddings';

/** Names that are looked for as they are, in this order: those of sentence-transformers 6.2's encode_query and encode_document. */
const NAMES: Record<Kind, string[]> = { query: ['query'], document: ['document', 'passage', 'corpus'] };
/** The last word of other names: search_query, retrieval.passage, s2p_query. */
const LAST_WORD: Record<Kind, RegExp> = {
  query: /(^|[._\- ])quer(y|ies)$/i,
  document: /(^|[._\- ])(doc(ument)?s?|passages?|corpus)$/i,
};

/**
 * Which of a checkpoint's prompts is for queries and which for documents, by their names; undefined where none is, or where several might be.
 * sentence-transformers 6.2 knows fewer names. It also adds an empty prompt `document` to a checkpoint that has none, and so finds that one
 * before `passage` and `corpus`, which it lists too; its save writes the empty prompts into the files, and then they are found here as well.
 */
export function promptNamesOf(prompts: Record<string, string>): Record<Kind, string | undefined> {
  const nameFor = (kind: Kind) => {
    const own = NAMES[kind].find((name) => Object.hasOwn(prompts, name));
    const similar = Object.keys(prompts).filter((name) => LAST_WORD[kind].test(name));
    return own ?? (similar.length === 1 ? similar[0] : undefined);
  };
  return { query: nameFor('query'), document: nameFor('document') };
}
