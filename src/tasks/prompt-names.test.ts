import { expect, it } from 'vitest';
import { promptNamesOf } from './prompt-names';

/** The names for queries and documents among some. */
const named = (...names: string[]) => {
  const { query, document } = promptNamesOf(Object.fromEntries(names.map((name) => [name, name])));
  return [query, document];
};

it("takes the names that sentence-transformers' encode_query and encode_document look for, in their order", () => {
  expect(named('query', 'document')).toEqual(['query', 'document']);
  expect(named('passage', 'corpus', 'query')).toEqual(['query', 'passage']);
  expect(named('corpus', 'passage', 'document')).toEqual([undefined, 'document']);
  expect(named('web_search_query', 'query', 'Retrieval-document', 'corpus')).toEqual(['query', 'corpus']);
  expect(promptNamesOf({ query: '', document: '', search_query: 'Q: ' })).toEqual({
    query: 'query',
    document: 'document',
  });
});

it.each([
  [['search_query', 'search_document', 'clustering', 'classification'], 'search_query', 'search_document'],
  [['retrieval.query', 'retrieval.passage', 'separation', 'text-matching'], 'retrieval.query', 'retrieval.passage'],
  [['Retrieval-query', 'Retrieval-document', 'STS'], 'Retrieval-query', 'Retrieval-document'],
  [['web_search_query', 'STS', 'Summarization'], 'web_search_query', undefined],
  [['queries', 'docs'], 'queries', 'docs'],
  [['for queries', 'for documents'], 'for queries', 'for documents'],
])('otherwise the last word: of %j', (names, query, document) => {
  expect(named(...names)).toEqual([query, document]);
});

it('is unsure of several, and of names that only contain such a word', () => {
  expect(named('s2p_query', 's2s_query', 'search_document')).toEqual([undefined, 'search_document']);
  expect(named('search_document', 'title_document')).toEqual([undefined, undefined]);
  expect(named('subquery', 'query_type', 'documentation', 'paragraph', 'STS')).toEqual([undefined, undefined]);
  expect(named()).toEqual([undefined, undefined]);
  expect(promptNamesOf({ toString: '' } as unknown as Record<string, string>)).toEqual({
    query: undefined,
    document: undefined,
  });
});
