// What can be wrong with a store: a kind for programs, and a sentence that says what to do.

/** Who has the store, as far as its lock file says; the process may be gone. */
export interface Owner {
  pid: number;
  /** Where its server listens, if it has one. */
  url?: string;
}

export type StoreErrorKind =
  | "locked" // another process has the store
  | "unsupported" // this system has no lock that the kernel frees, or another byte order
  | "format" // written by another version of this program
  | "rot" // a record or file that was whole is damaged
  | "missing" // a file that must be there is not
  | "disk"; // the disk refused a read, a write or a sync

export interface StoreErrorPlace {
  file?: string;
  /** Bytes from the file's beginning. */
  offset?: number;
  owner?: Owner;
  cause?: unknown;
}

export class StoreError extends Error {
  readonly file: string | undefined;
  readonly offset: number | undefined;
  readonly owner: Owner | undefined;

  constructor(
    readonly kind: StoreErrorKind,
    message: string,
    place: StoreErrorPlace = {},
  ) {
    super(message, place.cause === undefined ? undefined : { cause: place.cause });
    this.name = "StoreError";
    this.file = place.file;
    this.offset = place.offset;
    this.owner = place.owner;
  }
}

/** The disk's own error, in words: what was being done, to which file, and the system's reason. */
export function diskError(doing: string, file: string, cause: unknown): StoreError {
  if (cause instanceof StoreError) return cause;
  const reason = cause instanceof Error ? cause.message : String(cause);
  const message =
    `The disk failed while ${doing} ${file}: ${reason}. ` +
    "Check the disk's space, permissions and health, then start again: what was acknowledged is " +
    "safe.";
  return new StoreError("disk", message, { file, cause });
}

export function errorCode(error: unknown): string | undefined {
  const code = error instanceof Error ? (error as NodeJS.ErrnoException).code : undefined;
  return typeof code === "string" ? code : undefined;
}
