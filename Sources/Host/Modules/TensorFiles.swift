import LuaBridge
import NN

/// NumPy's files as scripts reach them.
enum TensorFiles {
    static func methods(_ type: UserdataType<Tensor>) -> [Declaration] {
        [
            Declaration(
                """
                Tensor:save(self: tensor, path: string)
                Writes the tensor as a .npy file, which NumPy reads.
                Errors: a file that cannot be written (one that was there stays as it is)
                Example:
                  tensor{1, 2}:save("x.npy")
                  tensor.from_file("x.npy") --> tensor([1, 2])
                See: tensor.from_file, tensor.save_npz
                Source: numpy.save
                """
            ) { call in try TensorModule.reporting("save") { try NPYFile.write(try call.object(0, type), to: try call.string(1)) } }
        ]
    }

    static func functions(_ type: UserdataType<Tensor>) -> [Declaration] {
        [
            Declaration(
                """
                tensor.from_file(path: string) -> tensor
                Reads a .npy file. float16 comes as float32, small integers as int32, uint32 and uint64 as int64.
                Errors: a file that is not there, of another format, cut off or too long: with path, byte offset and reason
                Example:
                  tensor{1.5, 2.5}:save("x.npy")
                  tensor.from_file("x.npy") --> tensor([1.5000, 2.5000])
                See: Tensor:save, tensor.load_npz
                Source: numpy.load
                """, returns: type
            ) { call in try TensorModule.reporting("from_file") { try call.push(try NPYFile.read(try call.string(0)), type) } },
            Declaration(
                """
                tensor.load_npz(path: string) -> table
                Reads a .npz file: a table of name to tensor.
                Errors: as tensor.from_file; an entry whose checksum is wrong
                Example:
                  tensor.save_npz("x.npz", {a = tensor{1, 2}})
                  tensor.load_npz("x.npz").a --> tensor([1, 2])
                See: tensor.save_npz
                Source: numpy.load
                """
            ) { call in
                let tensors = try TensorModule.reporting("load_npz") { try NPZFile.read(try call.string(0)) }
                try call.push(.fields(tensors.map { ($0.name, type.value($0.tensor)) }))
            },
            Declaration(
                """
                tensor.save_npz(path: string, tensors: table, *, compressed: bool = false)
                Writes a table of name to tensor as a .npz file, which NumPy reads.
                Errors: a value that is no tensor; a file that cannot be written (one that was there stays as it is)
                Example:
                  tensor.save_npz("x.npz", {a = tensor{1, 2}, b = tensor{3.0}})
                  tensor.load_npz("x.npz").b --> tensor([3.])
                See: tensor.load_npz
                Source: numpy.savez, numpy.savez_compressed
                """
            ) { call in
                let tensors = try FileNatives.named(try call.value(1), type)
                try TensorModule.reporting("save_npz") {
                    try NPZFile.write(tensors, compressed: try call.bool(2), to: try call.string(0))
                }
            },
        ]
    }
}
