export { type Stat, StatSchema, type Xattr, XattrSchema } from "./gen/fsutil/types/stat_pb.js";
export { type Packet, PacketSchema, Packet_PacketType } from "./gen/fsutil/types/wire_pb.js";
