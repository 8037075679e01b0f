// Every limit, with its unit and its reason.

/** Bytes of one flow file: `yaml` parses 256 KiB in tens of ms; no hand-written flow comes near. */
export const MAX_FLOW_FILE_BYTES = 256 * 1024;
/** Levels of nesting in a flow file: `yaml` recurses, and deeper texts can abort the process. */
export const MAX_FLOW_DEPTH = 64;
/** Keys of one mapping: `yaml` looks for duplicates in quadratic time. */
export const MAX_FLOW_KEYS = 1_000;
/** Aliases of one flow file: enough for shared headers, too few for an alias bomb. */
export const MAX_FLOW_ALIASES = 50;
/** Values of one flow file after aliases are followed: a bomb doubles with each of its 50. */
export const MAX_FLOW_VALUES = 50_000;
/** Diagnostics reported for one file: beyond, a reader starts again from the top anyway. */
export const MAX_DIAGNOSTICS = 100;

/** Items of a `foreach` that are worked on at a time: each may hold a connection. */
export const MAX_PARALLEL_ITEMS = 1_000;

/** Step executions of a run, when the workflow does not say. */
export const DEFAULT_MAX_STEPS = 10_000;
/** Step executions a workflow may ask for: keeps a run's document and its replay bounded. */
export const MAX_STEPS = 1_000_000;
/** ms a step's attempt may take when neither step nor defaults say: most HTTP calls end in 30 s. */
export const DEFAULT_STEP_TIMEOUT_MS = 30_000;
/** ms: the longest duration a flow file may name (ten years), far below what Date can hold. */
export const MAX_DURATION_MS = 10 * 365 * 24 * 3_600_000;

/** Bytes of a request body: a context is a small JSON value, not a file. */
export const MAX_BODY_BYTES = 1024 * 1024;
/** Redirects that one request follows: more are a circle. */
export const MAX_REDIRECTS = 5;
/** Bytes of a response body that a step keeps as its output: the run's document has a copy. */
export const MAX_RESPONSE_BYTES = 1024 * 1024;
/** Levels of nesting in a context: JSON.stringify recurses. */
export const MAX_JSON_DEPTH = 100;
/** Runs on one page of a listing. */
export const MAX_PAGE = 200;
export const DEFAULT_PAGE = 50;
/** Characters of an idempotency key: longer ones are documents, not keys. */
export const MAX_IDEMPOTENCY_KEY = 255;
/** ms: the longest `retry-after` that is honoured; beyond, the other side had better be asked. */
export const MAX_RETRY_AFTER_MS = 3_600_000;

/** Bytes of a request's line and headers: Node's own default, enough for cookies of a proxy. */
export const MAX_HEADER_BYTES = 16 * 1024;
/** Headers of one request: browsers send about 20. */
export const MAX_HEADERS = 100;
/** ms to send the headers of a request: a slower client holds a connection for nothing. */
export const HEADERS_TIMEOUT_MS = 10_000;
/** ms to send a whole request: 1 MiB at 35 kB/s. */
export const REQUEST_TIMEOUT_MS = 30_000;
/** ms an idle connection is kept for the next request. */
export const KEEP_ALIVE_MS = 15_000;
/** Connections at a time: ten thousand clients that trigger at once (20 KB each), and streams. */
export const MAX_CONNECTIONS = 12_000;
/** Of the files that the process may open, this share may be connections: the store needs some. */
export const CONNECTIONS_OF_FILES = 2 / 3;
/** Connections that wait to be accepted: of a burst that is larger, some ask again after 1 s. */
export const MAX_UNACCEPTED = 4_096;
/** Event streams at a time: each is a connection that stays; an idle one costs some 10 KB. */
export const MAX_STREAMS = 2_000;
/** Of the connections, this share may be event streams: others must be let in, too. */
export const STREAMS_OF_CONNECTIONS = 1 / 4;
/** Triggers at a time that wait for the end of their run: each is a connection that stays. */
export const MAX_WAITS = 400;
/** ms a trigger may wait for the end of its run: proxies cut longer silences. */
export const MAX_WAIT_MS = 300_000;
/** ms between two signs of life in a silent event stream: proxies cut after 30 s and more. */
export const HEARTBEAT_MS = 15_000;
/** Heartbeats that find the same event unread, before the stream is cut: a minute. */
export const MAX_UNREAD_HEARTBEATS = 4;
/** Characters of the id of a change, as it comes back in `Last-Event-ID`. */
export const MAX_CHANGE_ID = 128;
/** Characters of a listing's cursor. */
export const MAX_CURSOR = 512;
/** Characters of the reason given for a cancellation: a sentence, kept with the run. */
export const MAX_REASON = 1_000;
/** ms that requests in flight have to end when the server closes. */
export const CLOSE_GRACE_MS = 5_000;
/** Characters of a secret: a shorter one could not be told from other text, and taken out. */
export const MIN_SECRET_CHARS = 6;
/** Bytes of a secret: a key with its chain of certificates has some 10 KiB. */
export const MAX_SECRET_BYTES = 64 * 1024;
/** Characters of a piece of a secret (a line, a part of a path) that is a secret on its own. */
export const MIN_SECRET_PIECE = 16;
/** Characters of a token, where others than this machine can try to guess it. */
export const MIN_TOKEN = 16;

/** Tokens of a store: each is compared with each request's. */
export const MAX_TOKENS = 1_000;
/** Requests a second of one client from elsewhere: ten times what a busy page or script makes. */
export const MAX_REQUESTS_PER_SECOND = 200;
/** Requests of such a client at once: a page that opens, a batch of triggers. */
export const MAX_BURST = 1_000;
/** Clients whose requests are counted at a time: some 100 bytes each. */
export const MAX_RATED_CLIENTS = 10_000;

/** ms to open a connection: beyond, no one is there. A step's own time-out may be shorter. */
export const CONNECT_TIMEOUT_MS = 10_000;
/** Connections to one host at a time; further calls wait their turn. Spares open files. */
export const MAX_CONNECTIONS_PER_HOST = 512;
/** ms an idle connection is kept where the other side does not say: many close after 2 s. */
export const IDLE_CONNECTION_MS = 1_000;
/** ms a connector has, once its time is up, to stop and say what it waited for. */
export const ABORT_GRACE_MS = 250;
/** ms: the longest wait a timer of the platform can hold (2^31 - 1); beyond, it fires at once. */
export const MAX_TIMER_MS = 2_147_483_647;

/** ms the command line waits for an answer of the server (streams excepted): a slow disk, twice. */
export const CLIENT_TIMEOUT_MS = 30_000;
/** ms the command line waits for a store whose owner has no address yet: a start takes less. */
export const OWNER_WAIT_MS = 5_000;

/** Characters of one expression: a longer one is a program, and belongs into a step. */
export const MAX_EXPRESSION_LENGTH = 4_096;
/** Levels of nesting in an expression: checking and evaluating recurse. */
export const MAX_EXPRESSION_DEPTH = 100;
/** Comprehensions (`map`, `filter`, `all`, …) inside one another: a third is a cubic loop. */
export const MAX_COMPREHENSION_DEPTH = 2;
/** `cel.bind` inside one another: each can double what the one before made. */
export const MAX_BIND_DEPTH = 4;
/** Elements of a list that is written out, or entries of a map. */
export const MAX_LITERAL_ENTRIES = 1_000;
/**
 * Units of work of one evaluation: one for each element a comprehension visits, each value that is
 * compared, each 16 characters made or searched. About 50 ms; nothing else runs meanwhile.
 */
export const MAX_EXPRESSION_WORK = 1_000_000;
/** Compiled expressions kept at a time: a hundred workflows' worth, some 20 MB. */
export const MAX_COMPILED_EXPRESSIONS = 4_000;
/** Compiled regular expressions kept at a time. */
export const MAX_COMPILED_PATTERNS = 500;
/** Characters of a regular expression: RE2's machines grow with it. */
export const MAX_PATTERN_LENGTH = 1_000;
/** Changes that a reader may be behind before it gets the whole run instead of each of them. */
export const MAX_UNREAD_CHANGES = 1_000;
/** Changes of all runs that are remembered, for event streams that were cut off and come back. */
export const RECENT_CHANGES = 4_096;
/** Earlier iterations of a step that a run's document keeps: enough to see how a loop goes. */
export const EARLIER_ITERATIONS = 10;
/** Events of one decision: beyond, the next step waits for a record of its own. */
export const MAX_EVENTS_PER_DECISION = 500;
/** Items of one foreach: they all stand in the run's document. */
export const MAX_ITEMS = 10_000;
/** Signals that a run keeps until a step waits for them. */
export const MAX_KEPT_SIGNALS = 100;
/** Flow files of one folder: ten times what a busy team has; each is checked and held in memory. */
export const MAX_FLOW_FILES = 10_000;
/** Levels of sub-folders that are searched for flow files. */
export const MAX_FLOW_FOLDER_DEPTH = 16;
/** Flow files that are read at a time: spares open files. */
export const MAX_OPEN_FLOW_FILES = 16;
/** ms to check one flow file: it takes ms; what takes seconds was made to. */
export const CHECK_DEADLINE_MS = 5_000;
/** ms to start the thread that checks, or to look across all files: one file is not to blame. */
export const CHECK_FOLDER_DEADLINE_MS = 60_000;
/** MiB for the thread that checks flow files: ten thousand files, and no text's excess. */
export const CHECKER_MEMORY_MB = 512;
/** ms without an event before a flow file is read: editors write in several steps. */
export const SETTLE_MS = 75;
/** ms from an event to the look: a little longer, so that events of one change are seen at once. */
export const LOOK_MS = 95;
/** Files that are looked at one by one; of more, the whole folder is looked at. */
export const MAX_SINGLE_LOOKS = 64;
/** ms after the last change until the whole folder is looked at again, for events that got lost. */
export const RESCAN_MS = 500;
/** ms: a file younger than this when it was read may have changed since with the same stamp. */
export const RACY_MS = 2_000;
/** ms between looks at whether the watched folder itself is still the same one. */
export const WATCH_POLL_MS = 1_000;
/** Diagnostics of one file that go to the log; `flows validate` shows them all. */
export const MAX_LOGGED_DIAGNOSTICS = 5;
/** Workflows that the log names one by one; a switch of branches gets one line. */
export const MAX_LOGGED_WORKFLOWS = 20;
/** Levels of runs that start runs: deeper ones are a cycle that no check could see. */
export const MAX_CHILD_DEPTH = 10;
/** Things that come due in one rehearsal: 100 times what a run of the default max_steps makes. */
export const MAX_REHEARSAL_STEPS = 3_000_000;

/** Days that finished runs may be kept: a century; whoever wants more sets no limit. */
export const MAX_RETENTION_DAYS = 36_500;
/** Finished runs that may be kept by number: more than one store should have. */
export const MAX_RETENTION_RUNS = 100_000_000;
/** ms between two looks for finished runs that need not be kept: they may stay a little longer. */
export const RETENTION_EVERY_MS = 60_000;
/** ms between two parts of one look, so that it takes a small share of the time. */
export const RETENTION_REST_MS = 20;
/** Finished runs that one part of it looks at: a millisecond or two. */
export const RETENTION_LOOKS = 5_000;
/** Runs that one part of it deletes, in one record: what the journal writes at once anyway. */
export const RETENTION_DELETES = 100;

/** Bytes of a store's first segment: made in a few ms, and enough for a thousand runs. */
export const FIRST_SEGMENT_BYTES = 1024 * 1024;
/** Bytes of later segments: a checkpoint is due when one is full, some ten thousand runs later. */
export const SEGMENT_BYTES = 16 * 1024 * 1024;
/** Characters of one write of the journal: shares a sync well, and is written in a few ms. */
export const MAX_BATCH_CHARS = 1024 * 1024;
/** Characters that wait for the journal's next writes: seconds of a slow disk's work. */
export const MAX_WAITING_JOURNAL_CHARS = 64 * 1024 * 1024;
/** Calls in flight: each holds its request in memory. Runs that are on their way may exceed it. */
export const MAX_CALLS_IN_FLIGHT = 20_000;
/** ms that `flows trigger` with a key goes on asking a server that has no room: it may restart. */
export const BUSY_RETRY_MS = 30_000;
/** ms between two such questions: what the server asks for. */
export const BUSY_REST_MS = 1_000;
/** ms of quiet before the journal's last batch is sealed; a busy one seals each by the next. */
export const SEAL_AFTER_MS = 250;
/** ms that a live run's document may lag behind: what a person would not see. */
export const DOCUMENT_DELAY_MS = 50;
/** ms: a run that waits for longer is packed; a shorter wait is not worth the packing. */
export const PACKED_WAIT_MS = 5_000;
/** Characters of a live run's document a ms: one of 5 MB is written twice a second at most. */
export const DOCUMENT_CHARS_PER_MS = 10_000;
/** Characters of finished runs' documents that wait to be written: a few seconds' work. */
export const MAX_WAITING_DOCUMENT_CHARS = 64 * 1024 * 1024;
/** Characters of an error's message in a listing; the run's document has all of it. */
export const MAX_LISTED_MESSAGE = 500;

/** Bytes of a program's stdout that a step keeps as its output; all of it is in the log. */
export const MAX_STDOUT_BYTES = 64 * 1024;
/** ms that a program has after SIGTERM, before SIGKILL: to remove a temporary file. */
export const PROCESS_STOP_MS = 2_000;
/** ms to read what an ended program has left in its pipes: another may hold them open. */
export const PROCESS_DRAIN_MS = 250;
/** Bytes of a program's output that are read at once, and ms until more is: 25 MB/s at most. */
export const PROCESS_READ_BYTES = 256 * 1024;
export const PROCESS_READ_PAUSE_MS = 10;
/** Bytes of one run's log: some 40 000 lines. What comes after is not kept. */
export const MAX_LOG_BYTES = 4 * 1024 * 1024;
/** Characters of one line of a log, and of the data beside it; the rest is cut off. */
export const MAX_LOG_LINE = 8 * 1024;
/** Bytes of a log that are read for one page: more than the longest line. */
export const LOG_PAGE_BYTES = 256 * 1024;
/** Lines on one page of a log. */
export const MAX_LOG_PAGE = 1_000;
/** ms between two looks at a log that is followed. */
export const LOG_POLL_MS = 250;

/** MiB of heap for the process of a user's connector: what a script needs, many times over. */
export const CONNECTOR_MEMORY_MB = 256;
/** Processes of one connector at a time; further calls wait their turn. Each has some 45 MB. */
export const MAX_CONNECTOR_PROCESSES = 4;
/** ms that a connector's file may take to be loaded: it only has to define something. */
export const CONNECTOR_LOAD_MS = 20_000;
/** ms that a connector has to end a call that is stopped, before its process ends. */
export const CONNECTOR_STOP_MS = 500;
/** ms that a connector's process is kept for the next call. */
export const CONNECTOR_IDLE_MS = 30_000;
/** Files of one `connectors/` folder: each is loaded in a process when the host starts. */
export const MAX_CONNECTOR_FILES = 200;
/** Parsed cron lines kept at a time: parsing one takes longer than asking it. */
export const MAX_CRON_LINES = 2_000;
/** Characters of a cron line: the longest sensible lists of minutes and days fit. */
export const MAX_CRON_LENGTH = 200;
/** ms that a scheduled start may be late and still be in time: a busy or restarted machine. */
export const SCHEDULE_GRACE_MS = 60_000;
/** ms until a scheduled start is tried again that found the store too busy to take it. */
export const SCHEDULE_RETRY_MS = 10_000;
/** Firings that one listing shows: each takes 0.15 ms to find, and nothing else runs meanwhile. */
export const MAX_LISTED_FIRINGS = 2_000;
/** ms that a listing of firings covers when it is not said: a day. */
export const DEFAULT_SCHEDULE_MS = 24 * 3_600_000;

/** ms that a signature's time may be away from now: what Standard Webhooks and Stripe allow. */
export const SIGNATURE_TOLERANCE_MS = 5 * 60_000;
/** Characters of a delivery's headers, and of its query, that the run keeps: to see what came. */
export const MAX_KEPT_HEADER_CHARS = 2_000;
/** ms that a sender waits for the result of its run: most give up after 30 s. */
export const HOOK_WAIT_MS = 25_000;
