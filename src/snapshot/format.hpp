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

/// Header content: tag 8, major 2, minor 2, flags 4, writer length 2, writer.
inline constexpr size_t kHeaderFixed = 18;
inline constexpr size_t kMaxWriter = 255;   ///< bytes of the writer's name and version
inline constexpr size_t kMaxHeader = 4096;  ///< bytes of the header's content that a reader accepts

/// Trailer content: tag 8, frame count 4, reserved 4, entries, state digest 32, file digest 16, file size 8, end tag 8.
inline constexpr size_t kTrailerFixed = 80;
inline constexpr size_t kTrailerEntry = 16;  ///< offset 8, compressed size 4, content size 4
/// The bytes behind the part that the file digest covers: the digest, the file size, the end tag.
inline constexpr size_t kTrailerTail = 32;

/// FlatBuffers file identifiers of the two kinds of content.
inline constexpr char kStateIdentifier[] = "CWST";
inline constexpr char kPageGroupIdentifier[] = "CWPG";

inline constexpr uint32_t kBlockSize = 4096;      ///< bytes; a block that is all zero is not stored
inline constexpr uint32_t kGroupSize = 1u << 20;  ///< bytes of guest memory in one page group
inline constexpr uint32_t kGroupBlocks = kGroupSize / kBlockSize;

/// Func.instance of a host function.
inline constexpr uint32_t kHostInstance = 0xFFFFFFFF;

/// Bytes. What a state may take at most, unless the reader's caller says otherwise.
inline constexpr uint64_t kMaxState = 256u << 20;
/// Bytes. A page group: all of its blocks, alternating runs, and FlatBuffers' own overhead.
inline constexpr uint64_t kMaxPageGroup = kGroupSize + kGroupBlocks * 8 + 256;
/// zstd cannot compress better: a block of at most 128 KiB takes at least 4 bytes.
inline constexpr uint64_t kMaxRatio = 32768;
inline constexpr int kStateLevel = 3;      ///< zstd level
inline constexpr int kPageGroupLevel = 1;  ///< zstd level

}  // namespace chiwawa::snapshot
