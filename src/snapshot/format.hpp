// The numbers of the snapshot file, for both directions. They live on disk: schema/FORMAT.md says what each means, and
// none may change its meaning within a major version.
#pragma once

#include <cstddef>
#include <cstdint>

namespace chiwawa::snapshot {

/// Readers refuse another major version; a higher minor one only adds what may be overlooked.
inline constexpr uint16_t kMajor = 1;
inline constexpr uint16_t kMinor = 0;

/// Both of our skippable frames have this zstd magic number; what tells them apart is the tag that follows.
inline constexpr uint32_t kSkippableMagic = 0x184D2A5C;
inline constexpr uint32_t kZstdMagic = 0xFD2FB528;
/// Bytes of a skippable frame before its content: magic number and content size.
inline constexpr size_t kSkippablePrefix = 8;

inline constexpr char kHeaderTag[9] = "CHIWAWA\n";   // 8 bytes on disk
inline constexpr char kTrailerTag[9] = "CWTRAIL\n";  // 8 bytes on disk
inline constexpr char kEndTag[9] = "CWEND\r\n\x1A";  // 8 bytes on disk, the last of the file

/// Header content: tag 8, major 2, minor 2, flags 4, time 8, writer length 2, writer.
inline constexpr size_t kHeaderFixed = 26;
inline constexpr size_t kMaxWriter = 255;   ///< bytes of the writer's name and version
inline constexpr size_t kMaxHeader = 4096;  ///< bytes of the header's content that a reader accepts

/// Trailer content: tag 8, entries, state digest 32, entry count 4, reserved 4, file digest 16, file size 8, end tag 8.
inline constexpr size_t kTrailerFixed = 80;
inline constexpr size_t kTrailerEntry = 24;  ///< offset 8, compressed size 4, content size 4, kind 4, reserved 4
/// The bytes behind the part that the file digest covers: the digest, the file size, the end tag.
inline constexpr size_t kTrailerTail = 32;

/// What a compressed frame holds. The numbers are those of the seek table.
enum class FrameKind : uint32_t { State = 1, ModulePart = 2, BlockIndex = 3, Blocks = 4, ObjectPart = 5 };

/// FlatBuffers file identifiers of the kinds of content.
inline constexpr char kStateIdentifier[] = "CWST";
inline constexpr char kModulePartIdentifier[] = "CWMO";
inline constexpr char kObjectPartIdentifier[] = "CWOB";
inline constexpr char kBlockIndexIdentifier[] = "CWBI";
inline constexpr char kBlocksIdentifier[] = "CWBL";

/// Names in State.requires.
inline constexpr char kFeatureBase[] = "base";
inline constexpr char kFeatureDeterministic[] = "deterministic";
inline constexpr char kFeatureObjects[] = "objects";
inline constexpr char kFeatureAtomicWait[] = "atomic-wait";
inline constexpr char kFeatureSharedMemory[] = "shared-memory";
inline constexpr char kFeatureCustomPageSizes[] = "custom-page-sizes";

inline constexpr uint32_t kBlockSize = 4096;  ///< bytes; a block that is all zero is not stored
/// What one BlockIndex lists at most. A writer begins the next one when a block would exceed one of these.
inline constexpr uint32_t kMaxBatchBlocks = 256;   ///< stored blocks
inline constexpr uint32_t kMaxBatchHashes = 4096;  ///< hashes
inline constexpr uint32_t kMaxBatchRuns = 4096;    ///< runs

/// Func.instance of a host function.
inline constexpr uint32_t kHostInstance = 0xFFFFFFFF;

/// Object.type of an exception.
inline constexpr uint32_t kExceptionObject = 0xFFFFFFFF;

/// Bytes. What a state may take at most, unless the reader's caller says otherwise.
inline constexpr uint64_t kMaxState = 256u << 20;
/// Bytes. The other frames' contents: all that they may list, and FlatBuffers' own overhead.
inline constexpr uint64_t kMaxBlockIndex = kMaxBatchRuns * 40 + kMaxBatchHashes * 16 + 256;
inline constexpr uint64_t kMaxBlocks = uint64_t{kMaxBatchBlocks} * kBlockSize + 256;
inline constexpr uint64_t kModulePartSize = 1u << 20;  ///< of a module in one frame; the last part is shorter
inline constexpr uint64_t kMaxModulePart = kModulePartSize + 256;
inline constexpr uint32_t kObjectPartObjects = 1u << 16;  ///< in one frame; the last part has fewer
inline constexpr uint32_t kObjectPartBytes = 1u << 20;    ///< of fields in one frame; the last part has fewer
inline constexpr uint64_t kMaxObjectPart = kObjectPartObjects * 8 + kObjectPartBytes + 256;
/// Bytes. The fields of all objects together.
inline constexpr uint64_t kMaxHeap = uint64_t{4} << 30;
/// Bytes. Embedded modules together.
inline constexpr uint64_t kMaxModules = 128u << 20;
/// Snapshots of which one is a base of the next, the newest included.
inline constexpr size_t kMaxChain = 16;
/// zstd cannot compress better: a block of at most 128 KiB takes at least 4 bytes.
inline constexpr uint64_t kMaxRatio = 32768;
inline constexpr int kStateLevel = 3;   ///< zstd level
inline constexpr int kMemoryLevel = 1;  ///< zstd level

}  // namespace chiwawa::snapshot
