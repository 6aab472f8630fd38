// For those who build on plait.
export { createNode } from './node/create-node.ts'
export { PlaitError, wireErrorNumbers } from './base/error.ts'
export type { ErrorCode, ErrorFacts, LocalErrorCode, PlaitErrorOptions, WireErrorCode } from './base/error.ts'
export { defaultLimits } from './base/limits.ts'
export type { Limits } from './base/limits.ts'
export type {
  Admission,
  CircuitSnapshot,
  NodeEventDetails,
  NodeEventName,
  NodeEvents,
  NodeOptions,
  NodeSnapshot,
  NodeStats,
  OpenOptions,
  Peer,
  PeerOptions,
  PeerSnapshot,
  PlaitNode,
  Service,
  ServiceOptions,
  SessionSnapshot,
} from './node/node-api.ts'
export type {
  Circuit,
  CircuitErrors,
  CircuitState,
  CloseReason,
  ErrorFragment,
  Fragment,
  SendOptions,
  ReceiveOptions,
  WaitOptions,
} from './circuit/circuit-api.ts'
export type { FragmentArgs, FragmentFields, WireError } from './wire/fragment.ts'

// What a node counts, for those who watch it.
export { openMetrics } from './metrics/open-metrics.ts'
export type { Measured } from './metrics/open-metrics.ts'
export { serveMetrics } from './metrics/http/serve-metrics.ts'
export type { MetricsOptions, MetricsServer } from './metrics/http/serve-metrics.ts'

// Typed messages over a circuit.
export { messenger } from './message/messenger.ts'
export type {
  DefaultHandler,
  MessageContext,
  MessageHandler,
  MessageStream,
  Messenger,
  MessengerOptions,
  RequestOptions,
  StreamHandler,
  UnknownMessage,
} from './message/messenger-api.ts'
export { defineMessage } from './message/define-message.ts'
export type { MessageDefinition, MessageType } from './message/define-message.ts'
export { bytes } from './message/codecs/bytes.ts'
export { cbor } from './message/codecs/cbor.ts'
export { json } from './message/codecs/json.ts'
export { utf8 } from './message/codecs/utf8.ts'
export { validated } from './message/validated.ts'
export type { StandardSchema } from './message/validated.ts'
export type { Codec } from './message/codec.ts'
export type { EncodingName } from './message/frame.ts'
export { heartbeat, whoAmI } from './message/system.ts'
export type { WhoAmI } from './message/system.ts'
export type { MessageStats } from './message/message-stats.ts'
export type { HistogramSnapshot } from './message/histogram.ts'

// Topics: what one member publishes reaches every other.
export { topics } from './broadcast/topics.ts'
export type {
  MemberInfo,
  Publication,
  PublishReport,
  Shape,
  Subscription,
  TopicMessage,
  Topics,
  TopicsEventDetails,
  TopicsEvents,
  TopicsOptions,
  TopicsSnapshot,
} from './broadcast/broadcast-api.ts'
export type { BroadcastSettings } from './broadcast/settings.ts'
export type { TopicStats } from './broadcast/topic-stats.ts'
export type { BroadcasterCounts } from './broadcast/broadcaster.ts'
export type { MemberStatus } from './broadcast/membership/member.ts'
export { formatNetworkLink, parseNetworkLink } from './broadcast/network-link.ts'
export type { NetworkLink } from './broadcast/network-link.ts'

// Feeds: append-only logs that anybody can serve and nobody can forge.
export { openStore } from './store/open-store.ts'
export type { Store, StoreOptions } from './store/open-store.ts'
export { feeds } from './feed/feeds.ts'
export type {
  CreateFeedOptions,
  DownloadRange,
  Feed,
  FeedConnection,
  FeedEventDetails,
  FeedEventName,
  FeedEvents,
  FeedInfo,
  FeedOptions,
  FeedPeerStatus,
  Feeds,
  FeedsOptions,
  FeedStatus,
  ReadOptions,
  WritableFeed,
} from './feed/feed-api.ts'
export type { Chunk, ChunkName, ChunkOptions, ChunkSource } from './feed/chunk-api.ts'
export { formatFeedId, parseFeedId } from './feed/feed-id.ts'
export type { FeedId, FeedName } from './feed/feed-id.ts'
export type { TreeHash } from './feed/hash.ts'
export type { FeedSnapshot, PeerSnapshot as FeedPeerSnapshot } from './feed/sync/snapshot.ts'
export type { OpenReport } from './store/recovery.ts'
export type { CompactionReport } from './store/compaction.ts'

// Groups: operations of a set of writers reach all of them, in causal order.
export { groups } from './causal/groups.ts'
export type {
  AcknowledgedDelivery,
  DeliveryHandler,
  DeliveryTransaction,
  Group,
  GroupDelivery,
  GroupEventDetails,
  GroupEventName,
  GroupEvents,
  GroupFeedSnapshot,
  GroupId,
  GroupMember,
  GroupMemberSnapshot,
  Groups,
  GroupSnapshot,
  GroupsOptions,
  InviteOptions,
  PublishOptions,
} from './causal/group-api.ts'
export type { Role } from './causal/members/roster-operation.ts'
export type { ReplicationLevel } from './causal/replication.ts'
export { createReplica } from './causal/replica.ts'
export type { Replica, ReplicaChange, ReplicaField, ReplicaOf, ReplicaOptions } from './causal/replica.ts'
export type { View, ViewChange, ViewEntry, ViewRange, ViewSource } from './store/view.ts'

// Drives: folders that stay the same on several machines.
export { createDrive, joinDrive, openDrive } from './drive/drive.ts'
export type {
  CreateDriveOptions,
  Drive,
  DriveEntry,
  DriveEventDetails,
  DriveEventName,
  DriveEvents,
  DriveOptions,
  DrivePhase,
  DriveProblem,
  DriveRepair,
  DriveReport,
  DriveStatus,
  ReadFileOptions,
  ResolveOptions,
  VerifyOptions,
} from './drive/drive-api.ts'
export type { ContentCounts } from './drive/contents.ts'
export type { HistoryEntry } from './drive/folder/history.ts'
export type { Hold } from './drive/plan/guard.ts'
export type { DrivePreview, PreviewStep } from './drive/preview.ts'
export type { Progress } from './drive/progress.ts'
export type { Damage, DamagedPath, DriveVerification, VerifyProgress } from './drive/verification.ts'
export type { EntryKind, Version } from './drive/version.ts'

// Replicated values: pure data, for any way to carry operations.
export { CausalState, decodeOperation, encodeOperation } from './crdt/causal-state.ts'
export { Basis, isFounded } from './crdt/crdt-type.ts'
export type { Change, Crdt, CrdtType } from './crdt/crdt-type.ts'
export type { Cell, CellRange } from './crdt/cell.ts'
export { orSet } from './crdt/or-set.ts'
export type { OrSet, OrSetOperation } from './crdt/or-set.ts'
export { lwwRegister } from './crdt/lww-register.ts'
export type { LwwRegister } from './crdt/lww-register.ts'
export { mvRegister } from './crdt/mv-register.ts'
export type { MvRegister, RegisterOperation, Written } from './crdt/mv-register.ts'
export { pnCounter } from './crdt/pn-counter.ts'
export type { CounterOperation, PnCounter } from './crdt/pn-counter.ts'
export { orMap } from './crdt/or-map.ts'
export type { OrMap, OrMapOperation } from './crdt/or-map.ts'
export { record } from './crdt/record.ts'
export type { CrdtRecord, OperationOf, RecordOperation, StateOf } from './crdt/record.ts'
export { tree } from './crdt/tree.ts'
export type { Tree } from './crdt/tree.ts'
export type { Placement } from './crdt/tree-node.ts'
export type { TreeOperation } from './crdt/tree-operation.ts'
export type { TreeEntry, TreeView } from './crdt/tree-view.ts'
export { mailbox } from './crdt/mailbox.ts'
export type { Mailbox } from './crdt/mailbox.ts'
export type { MailboxItem } from './crdt/mailbox-item.ts'
export type { FlagChange, MailboxOperation } from './crdt/mailbox-operation.ts'
export type { MailboxView } from './crdt/mailbox-view.ts'
export { bytesValue, integerValue, schemaValue, textValue } from './crdt/value-type.ts'
export type { ValueType } from './crdt/value-type.ts'

// Dots and clocks: what has been seen, and what came before what.
export { compareDots, dotOf, formatDot, keyFromWriter, parseDot, writerFromKey } from './crdt/dot.ts'
export type { Dot, Writer } from './crdt/dot.ts'
export type { DotList } from './crdt/dot-list.ts'
export { DotSet } from './crdt/dot-set.ts'
export type { DotSink } from './crdt/dot-set.ts'
export { DottedClock } from './crdt/dotted-clock.ts'
export { Frontier } from './crdt/frontier.ts'
export { VectorClock } from './crdt/vector-clock.ts'
export type { ClockOrder } from './crdt/vector-clock.ts'
export { Writers } from './crdt/writers.ts'
export type { WriterTable } from './crdt/writers.ts'

// Keys, node ids and addresses.
export { createIdentity } from './identity/identity.ts'
export type { Identity, TlsCredentials } from './identity/identity.ts'
export { openKeyFile } from './identity/key-file.ts'
export { createNetworkKeyFile, readNetworkKeyFile } from './identity/network-key.ts'
export { nodeIdFromPublicKey, parseNodeId, publicKeyFromNodeId } from './identity/node-id.ts'
export type { NodeId } from './identity/node-id.ts'
export { formatUrl, parseUrl } from './node/url.ts'
export type { PeerUrl } from './node/url.ts'

// For those who write transports and runtimes.
export type { DialOptions, Link, LinkAddress, LinkHandlers, Listener, Transport } from './link/link.ts'
export type { TransportFactory, TransportParts } from './node/node-api.ts'
export { tcpTransport } from './link/tcp/tcp-transport.ts'
export type { TcpTransportOptions } from './link/tcp/tcp-transport.ts'
export { verify } from './identity/signature.ts'
export type { Verify } from './identity/signature.ts'
export { systemRuntime } from './runtime/system/system-runtime.ts'
export type { SystemRuntimeOptions } from './runtime/system/system-runtime.ts'
export type { Clock } from './runtime/clock.ts'
export type { Disk, DiskFile } from './runtime/disk.ts'
export type { Probe } from './runtime/probe.ts'
export type { Random } from './runtime/random.ts'
export type { Runtime } from './runtime/runtime.ts'
export type { Timer, Timers } from './runtime/timers.ts'
