// MatMul and Gemm.
#include "interpreter/broadcasting.hpp"
#include "interpreter/matrix.hpp"
#include "interpreter/operator.hpp"

namespace pantanal::convert::interpreter {
namespace {

/// NumPy's matmul: the last two axes are matrices, the others are broadcast. A vector on the left is a row,
/// on the right a column, and its added axis is dropped from the result.
struct Product {
  Shape a, b;           ///< without the matrix axes
  Shape batch, result;  ///< result: as returned
  std::int64_t rows = 1, depth = 1, columns = 1;
};

template <class Real>
Result<Product> read_product(const Call<Real>& call) {
  PANTANAL_TRY_STATUS(call.expect(0, Kind::real));
  PANTANAL_TRY_STATUS(call.expect(1, Kind::real));
  Product product{call.input(0).shape, call.input(1).shape, {}, {}};
  const Error mismatch = call.error(ErrorCode::mismatch, call.describe(0) + " and " + call.describe(1),
                                    "matrices that can be multiplied");
  if (product.a.empty() || product.b.empty()) return mismatch;
  const bool is_row = product.a.size() == 1, is_column = product.b.size() == 1;
  if (is_row) product.a.insert(product.a.begin(), 1);
  if (is_column) product.b.push_back(1);
  product.rows = product.a[product.a.size() - 2];
  product.depth = product.a.back();
  product.columns = product.b.back();
  if (product.b[product.b.size() - 2] != product.depth) return mismatch;
  product.a.resize(product.a.size() - 2);
  product.b.resize(product.b.size() - 2);
  const std::optional<Shape> batch = broadcast(product.a, product.b);
  if (!batch) return mismatch;
  product.batch = product.result = *batch;
  if (!is_row) product.result.push_back(product.rows);
  if (!is_column) product.result.push_back(product.columns);
  return product;
}

template <class Real>
Result<Tensors<Real>> matmul(const Call<Real>& call) {
  PANTANAL_TRY(Product product, read_product(call));
  PANTANAL_TRY(const std::size_t size, call.size_of(product.result));
  PANTANAL_TRY_STATUS(call.check_work({static_cast<std::int64_t>(size), product.depth}));
  std::vector<Real> result(size);
  const Real *a = call.input(0).reals->data(), *b = call.input(1).reals->data();
  if (product.b.empty()) {  // one matrix on the right: all matrices on the left are rows of one
    product.rows *= *element_count(product.a);
    product.batch.clear();
    product.a.clear();
  }
  Shape batch = product.batch;
  batch.push_back(1);  // rows of one element: one visit for each pair of matrices
  Shape a_batch = product.a, b_batch = product.b;
  a_batch.push_back(1);
  b_batch.push_back(1);
  Real* out = result.data();
  for_each_row<2>(batch, {broadcast_strides(a_batch, batch), broadcast_strides(b_batch, batch)}, {0, 0},
                  [&](const std::array<std::int64_t, 2>& at) {
                    multiply_matrices(a + at[0] * product.rows * product.depth,
                                      b + at[1] * product.depth * product.columns, out, product.rows,
                                      product.depth, product.columns);
                    out += product.rows * product.columns;
                  });
  return Tensors<Real>{real_tensor(product.result, std::move(result))};
}

/// y += alpha·op(a)·op(b), where op transposes or not.
template <class Real>
void multiply_add(const Tensor<Real>& a, bool transpose_a, const Tensor<Real>& b, bool transpose_b,
                  Real alpha, Eigen::Map<Matrix<Real>> y) {
  const Eigen::Map<const Matrix<Real>> left(a.reals->data(), a.shape[0], a.shape[1]);
  const Eigen::Map<const Matrix<Real>> right(b.reals->data(), b.shape[0], b.shape[1]);
  if (transpose_a && transpose_b)
    y.noalias() += alpha * left.transpose() * right.transpose();
  else if (transpose_a)
    y.noalias() += alpha * left.transpose() * right;
  else if (transpose_b)
    y.noalias() += alpha * left * right.transpose();
  else
    y.noalias() += alpha * left * right;
}

/// alpha·A'·B' + beta·C, with C broadcast to the product's shape.
template <class Real>
Result<Tensors<Real>> gemm(const Call<Real>& call) {
  PANTANAL_TRY(const Real alpha, call.real("alpha", 1));
  PANTANAL_TRY(const Real beta, call.real("beta", 1));
  PANTANAL_TRY(const std::int64_t transpose_a, call.integer("transA", 0));
  PANTANAL_TRY(const std::int64_t transpose_b, call.integer("transB", 0));
  for (std::size_t i = 0; i < call.input_count(); ++i)
    if (call.has_input(i)) PANTANAL_TRY_STATUS(call.expect(i, Kind::real));
  const Tensor<Real>&a = call.input(0), &b = call.input(1);
  if (a.rank() != 2 || b.rank() != 2 || a.shape[transpose_a ? 0 : 1] != b.shape[transpose_b ? 1 : 0])
    return call.error(ErrorCode::mismatch, call.describe(0) + " and " + call.describe(1),
                      "two matrices that can be multiplied");
  const Shape shape = {a.shape[transpose_a ? 1 : 0], b.shape[transpose_b ? 0 : 1]};
  PANTANAL_TRY(const std::size_t size, call.size_of(shape));
  PANTANAL_TRY_STATUS(call.check_work({a.shape[0], a.shape[1], shape[1]}));
  std::vector<Real> y(size, 0);
  if (call.has_input(2)) {
    const Tensor<Real>& c = call.input(2);
    if (broadcast(c.shape, shape) != shape)
      return call.error(ErrorCode::mismatch, call.describe(2), "what broadcasts to " + to_string(shape));
    y = *strided(c, shape, broadcast_strides(c.shape, shape)).reals;
    for (Real& value : y) value *= beta;
  }
  multiply_add(a, transpose_a != 0, b, transpose_b != 0, alpha,
               Eigen::Map<Matrix<Real>>(y.data(), shape[0], shape[1]));
  return Tensors<Real>{real_tensor(shape, std::move(y))};
}

}  // namespace

template <class Real>
Operators<Real> matrix_product_operators() {
  return {
      {"Gemm", gemm<Real>, 2, 3, 1, {"alpha", "beta", "transA", "transB"}},
      {"MatMul", matmul<Real>, 2, 2},
  };
}

template Operators<float> matrix_product_operators<float>();
template Operators<double> matrix_product_operators<double>();

}  // namespace pantanal::convert::interpreter
