//! Tensors of 32-bit floats whose buffers are used again.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

/// Values in row-major order. Dropping it gives its buffer back to the pool that it came from.
#[derive(Debug)]
pub struct Tensor {
    shape: Vec<usize>,
    values: Vec<f32>,
    pool: Option<Arc<TensorPool>>,
}

/// Spare buffers by length, at most [`TensorPool::SPARE`] of each.
#[derive(Debug, Default)]
pub struct TensorPool {
    spare: Mutex<HashMap<usize, Vec<Vec<f32>>>>,
}

impl Tensor {
    /// `None` when the number of values does not fit the shape.
    pub fn new(shape: &[usize], values: Vec<f32>) -> Option<Self> {
        let fits = shape.iter().product::<usize>() == values.len();
        fits.then(|| Self { shape: shape.to_vec(), values, pool: None })
    }

    pub fn zeros(shape: &[usize]) -> Self {
        Self { shape: shape.to_vec(), values: vec![0.0; shape.iter().product()], pool: None }
    }

    pub fn shape(&self) -> &[usize] {
        &self.shape
    }

    pub fn values(&self) -> &[f32] {
        &self.values
    }

    pub fn values_mut(&mut self) -> &mut [f32] {
        &mut self.values
    }
}

impl Drop for Tensor {
    fn drop(&mut self) {
        if let Some(pool) = self.pool.take() {
            pool.give_back(std::mem::take(&mut self.values));
        }
    }
}

impl TensorPool {
    const SPARE: usize = 8;

    /// A tensor with whatever values its buffer last held.
    pub fn take(self: &Arc<Self>, shape: &[usize]) -> Tensor {
        let length = shape.iter().product();
        let spare = self.lock().get_mut(&length).and_then(Vec::pop);
        let values = spare.unwrap_or_else(|| vec![0.0; length]);
        Tensor { shape: shape.to_vec(), values, pool: Some(Arc::clone(self)) }
    }

    fn give_back(&self, values: Vec<f32>) {
        let mut spare = self.lock();
        let row = spare.entry(values.len()).or_default();
        if row.len() < Self::SPARE {
            row.push(values);
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<usize, Vec<Vec<f32>>>> {
        self.spare.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dropped_tensor_lends_its_buffer_to_the_next_of_its_length() {
        let pool = Arc::new(TensorPool::default());
        let mut first = pool.take(&[1, 2, 3]);
        first.values_mut()[5] = 7.0;
        let address = first.values().as_ptr();
        drop(first);
        let second = pool.take(&[3, 2]);
        assert_eq!(second.values().as_ptr(), address);
        assert_eq!(second.shape(), [3, 2]);
    }

    #[test]
    fn a_tensor_refuses_values_that_do_not_fit_its_shape() {
        assert!(Tensor::new(&[2, 2], vec![0.0; 3]).is_none());
    }
}
