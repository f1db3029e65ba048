import { textField, textListField } from '../input';
import { lineCommand } from '../line-command';

export const rerank = lineCommand({
  summary: 'Sort documents by how well they answer a query, with a cross-encoder.',
  details:
    'Reads {"query": "…", "documents": ["…", …]}, writes {"line": 1, "id": …, "results": [{"index", "score"}]}, best first;\nindex is the position in documents.',
  options: {
    'query-field': { value: 'NAME', help: 'field that holds the query (query)' },
    'documents-field': { value: 'NAME', help: 'field that holds the array of documents (documents)' },
    'top-k': { value: 'N', help: 'number of documents to write (all)' },
    'max-tokens': { value: 'N', help: 'most tokens of query and document together; longer documents are cut' },
    'return-documents': { help: 'write the documents too' },
    raw: { help: 'logits instead of probabilities' },
  },
  job(values) {
    const queryField = values.text('query-field') ?? 'query';
    const documentsField = values.text('documents-field') ?? 'documents';
    const options = {
      topK: values.count('top-k'),
      maxTokens: values.count('max-tokens'),
      returnDocuments: values.flag('return-documents'),
      raw: values.flag('raw') || undefined,
    };
    return {
      writes: ['results'],
      sample: () => ({ query: 'a', documents: ['a'] }),
      read: (row) => ({ query: textField(row, queryField), documents: textListField(row, documentsField) }),
      run: (model, inputs, callOptions) =>
        Promise.all(
          inputs.map(async ({ query, documents }) => ({
            results: await model.rerank(query, documents, { ...options, ...callOptions }),
          })),
        ),
    };
  },
});
