/// Every operation, by where scripts find it.
public enum OpCatalog {
    /// Methods of tensors and functions of the module `tensor`.
    public static let tensor: [Op] =
        Op.arithmetic + Op.comparison + Op.unary + Op.reduce + Op.shape + Op.creation + Op.conversion + Op.products
}
