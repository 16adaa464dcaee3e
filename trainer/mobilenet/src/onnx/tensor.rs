//! Constant tensors.

use super::schema::TensorProto;
use super::schema::tensor_proto::DataType;

/// A type of values that a constant tensor can hold.
pub trait Element: Copy {
    /// Its name in the file.
    const TYPE: DataType;

    /// Appends its bytes, the lowest first.
    fn append(self, bytes: &mut Vec<u8>);
}

macro_rules! element {
    ($($element:ty: $name:ident),*) => {
        $(impl Element for $element {
            const TYPE: DataType = DataType::$name;

            fn append(self, bytes: &mut Vec<u8>) {
                bytes.extend(self.to_le_bytes());
            }
        })*
    };
}

element!(f32: Float, i8: Int8, i32: Int32, i64: Int64);

/// A tensor of this shape without a name yet; `[]` is the shape of a single value.
pub fn tensor<T: Element>(shape: &[usize], values: &[T]) -> TensorProto {
    debug_assert_eq!(shape.iter().product::<usize>(), values.len());
    let mut raw_data = Vec::with_capacity(size_of_val(values));
    values.iter().for_each(|value| value.append(&mut raw_data));
    let dims = shape.iter().map(|&side| side as i64).collect();
    TensorProto { dims, data_type: T::TYPE.into(), raw_data, ..TensorProto::default() }
}
