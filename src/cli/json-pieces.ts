/** UTF-16 code units of JSON that are written at once. */
const pieceLength = 64 * 1024;

/** Yields the JSON of an object in pieces of about 64 KiB, cut between items of the lists that are its last members. */
export async function* jsonPieces(
  members: Readonly<Record<string, unknown>>,
  lists: Readonly<Record<string, AsyncIterable<unknown>>>,
): AsyncGenerator<string> {
  let text = JSON.stringify(members).slice(0, -1);
  for (const [name, items] of Object.entries(lists)) {
    text += `${text === '{' ? '' : ','}${JSON.stringify(name)}:[`;
    let separator = '';
    for await (const item of items) {
      text += separator + JSON.stringify(item);
      separator = ',';
      if (text.length < pieceLength) continue;
      yield text;
      text = '';
    }
    text += ']';
  }
  yield `${text}}`;
}
