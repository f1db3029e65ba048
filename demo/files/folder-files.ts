/**
 * The files of a picked folder, named relative to it (`1_Pooling/config.json`), as loadModel takes them.
 * Throws an Error in words if the folder cannot be a checkpoint.
 */
export function folderFiles(files: Iterable<File>): { name: string; source: Map<string, File> } {
  const list = [...files];
  if (list.length === 0) throw new Error('Choose a folder first.');
  const [folder] = list[0].webkitRelativePath.split('/');
  const source = new Map(list.map((file) => [file.webkitRelativePath.split('/').slice(1).join('/'), file]));
  if (!source.has('config.json')) {
    throw new Error(`The folder ${folder} has no config.json. Choose the folder that holds the model's files itself.`);
  }
  return { name: folder, source };
}
