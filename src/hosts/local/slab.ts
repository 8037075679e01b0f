// Many small texts in few large pieces of memory, outside the garbage collector's sight: each costs
// its bytes and eight more. Space that is given up is used again.

/** Bytes of a piece: large beside a text, small beside what a server has. */
const PIECE_BYTES = 1024 * 1024;
/** The same, of one that is collected little by little: about a ms of work. */
const WRITTEN_BYTES = 256 * 1024;
/** Of a text's key and of its length, before its bytes. */
const HEAD_BYTES = 8;
/** The key of a text that was given up. */
const NONE = 0xffffffff;

interface Piece {
  bytes: Buffer;
  /** Bytes that were given out, and how many of them are in use still. */
  end: number;
  used: number;
}

export class Slab {
  #pieces: (Piece | undefined)[] = [];
  #current = -1;

  /** `moved` is told when the text of a key has another place. */
  constructor(readonly moved: (key: number, place: number) => void) {}

  /** The place of the text. */
  add(key: number, text: string): number {
    // A character takes three bytes at most.
    const piece = this.#pieceFor(HEAD_BYTES + text.length * 3);
    const { bytes, end } = piece;
    const length = bytes.write(text, end + HEAD_BYTES);
    bytes.writeUInt32LE(key, end);
    bytes.writeUInt32LE(length, end + 4);
    piece.end += HEAD_BYTES + length;
    piece.used += HEAD_BYTES + length;
    return this.#current * PIECE_BYTES + end;
  }

  /** A piece of such texts as it is; answers their keys, in order, and the place of each. */
  adopt(bytes: Buffer, count: number): { keys: Uint32Array; places: Float64Array } {
    const begin = this.#keep({ bytes, end: bytes.length, used: bytes.length }) * PIECE_BYTES;
    const keys = new Uint32Array(count);
    const places = new Float64Array(count);
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    let at = 0;
    for (let text = 0; text < count; text += 1) {
      keys[text] = view.getUint32(at, true);
      places[text] = begin + at;
      at += HEAD_BYTES + view.getUint32(at + 4, true);
    }
    return { keys, places };
  }

  /** Its bytes as they stand here, with its key and length. They are not written to again. */
  record(place: number): Uint8Array {
    const { bytes } = this.#at(place);
    const at = place % PIECE_BYTES;
    return bytes.subarray(at, at + HEAD_BYTES + bytes.readUInt32LE(at + 4));
  }

  text(place: number): string {
    const { bytes } = this.#at(place);
    const at = place % PIECE_BYTES;
    const from = at + HEAD_BYTES;
    return bytes.toString("utf8", from, from + bytes.readUInt32LE(at + 4));
  }

  remove(place: number): void {
    const piece = this.#at(place);
    const at = place % PIECE_BYTES;
    piece.bytes.writeUInt32LE(NONE, at);
    piece.used -= HEAD_BYTES + piece.bytes.readUInt32LE(at + 4);
    const number = Math.floor(place / PIECE_BYTES);
    if (number === this.#current || piece.used > piece.end / 4) return;
    this.#pieces[number] = undefined;
    this.#move(piece);
  }

  #at(place: number): Piece {
    const piece = this.#pieces[Math.floor(place / PIECE_BYTES)];
    if (!piece) throw new Error(`the slab has no piece at ${place}`);
    return piece;
  }

  #pieceFor(length: number): Piece {
    const current = this.#pieces[this.#current];
    if (current && current.end + length <= current.bytes.length) return current;
    const bytes = Buffer.allocUnsafeSlow(Math.max(PIECE_BYTES, length));
    const piece = { bytes, end: 0, used: 0 };
    this.#current = this.#keep(piece);
    return piece;
  }

  #keep(piece: Piece): number {
    const free = this.#pieces.indexOf(undefined);
    const number = free < 0 ? this.#pieces.length : free;
    this.#pieces[number] = piece;
    return number;
  }

  /** What is left of a piece that is mostly empty goes to the current one. */
  #move({ bytes, end }: Piece): void {
    for (let at = 0; at < end; ) {
      const key = bytes.readUInt32LE(at);
      const from = at + HEAD_BYTES;
      at = from + bytes.readUInt32LE(at + 4);
      if (key !== NONE) this.moved(key, this.add(key, bytes.toString("utf8", from, at)));
    }
  }
}

/** A text by itself, as `Slab.record` answers it, but for its key. */
export function recordOf(text: string): Uint8Array {
  const length = Buffer.byteLength(text);
  const bytes = Buffer.allocUnsafe(HEAD_BYTES + length);
  bytes.writeUInt32LE(length, 4);
  bytes.write(text, HEAD_BYTES);
  return bytes;
}

/** Collects texts for a piece. */
export class PieceWriter {
  #bytes = Buffer.allocUnsafe(WRITTEN_BYTES);
  #end = 0;

  /** True: there is room, or nothing yet, so that it is made. */
  fits(record: Uint8Array): boolean {
    return this.#end === 0 || this.#end + record.length <= this.#bytes.length;
  }

  add(key: number, record: Uint8Array): void {
    if (record.length > this.#bytes.length) this.#bytes = Buffer.allocUnsafe(record.length);
    this.#bytes.set(record, this.#end);
    this.#bytes.writeUInt32LE(key, this.#end);
    this.#end += record.length;
  }

  /** The piece; the next one begins. */
  take(): Uint8Array {
    const piece = this.#bytes.subarray(0, this.#end);
    this.#bytes = Buffer.allocUnsafe(WRITTEN_BYTES);
    this.#end = 0;
    return piece;
  }
}
