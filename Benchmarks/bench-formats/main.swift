import DiskFormats
import Glibc
import SystemPackage

// One measure of DiskFormats in a process of its own, so that its memory is the measure's: see scripts/bench-sparse and
// scripts/bench-qcow2.

/// Makes a sparse file with data in extents of 256 KiB at even distances.
func make(_ path: FilePath, size: Int64, data: Int64) throws {
    let extent: Int64 = 256 << 10
    let count = data / extent
    let file = try FileDescriptor.open(
        path, .readWrite, options: [.create, .truncate], permissions: .ownerReadWrite)
    defer { try? file.close() }
    try file.resize(to: size)
    var state: UInt64 = 1
    var bytes = [UInt8](repeating: 0, count: Int(extent))
    for index in 0..<count {
        for at in bytes.indices {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            bytes[at] = UInt8(truncatingIfNeeded: state >> 56)
        }
        try file.writeAll(toAbsoluteOffset: index * (size / count) / 4096 * 4096, bytes)
    }
    guard fsync(file.rawValue) == 0 else { throw Errno(rawValue: errno) }
}

func writeQCOW2(_ disk: FilePath, to path: FilePath, _ compression: ClusterCompression) throws {
    let source = try FileDescriptor.open(disk, .readOnly)
    defer { try? source.close() }
    let target = try FileDescriptor.open(
        path, .readWrite, options: [.create, .truncate], permissions: .ownerReadWrite)
    defer { try? target.close() }
    try QCOW2Writer(compression: compression).write(source, to: target)
}

func seconds() -> Double {
    var now = timespec()
    clock_gettime(CLOCK_MONOTONIC, &now)
    return Double(now.tv_sec) + Double(now.tv_nsec) / 1e9
}

func usage() -> (cpu: Double, peakMebibytes: Int) {
    var usage = rusage()
    getrusage(RUSAGE_SELF.rawValue, &usage)
    let micro = usage.ru_utime.tv_usec + usage.ru_stime.tv_usec
    return (Double(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) + Double(micro) / 1e6, usage.ru_maxrss / 1024)
}

let words = CommandLine.arguments.dropFirst()
let paths = words.dropFirst().map { FilePath($0) }
let start = seconds()
var result = ""
switch (words.first, paths.count) {
case ("make", 1): try make(paths[0], size: 20_000_000_000, data: 50 << 20)
case ("copy", 2): result = "\(try SparseFile.copy(from: paths[0], to: paths[1]))"
case ("copy-zeroes", 2): result = "\(try SparseFile.copy(from: paths[0], to: paths[1], zeroes: .makeHoles))"
case ("qcow2-zlib", 2): try writeQCOW2(paths[0], to: paths[1], .zlib)
case ("qcow2-zstd", 2): try writeQCOW2(paths[0], to: paths[1], .zstd)
case ("digest", 1): result = try SparseDigest.sha256(of: paths[0])
default:
    print(
        """
        usage: bench-formats make FILE | copy FILE COPY | copy-zeroes FILE COPY | digest FILE
               | qcow2-zlib DISK FILE | qcow2-zstd DISK FILE
        """)
    exit(64)
}
// Seconds, seconds of processor time, peak memory in MiB, and what came out: words for the script.
print(seconds() - start, usage().cpu, usage().peakMebibytes, result)
